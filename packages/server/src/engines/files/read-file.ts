import { type FileEntry, type FileReadRequest, SandgateError } from '@sandgate/core';
import {
  brokenListing,
  entryAt,
  entryFields,
  entryFormat,
  maxRecordBytes,
  parseEntry,
} from './entry-records.ts';
import { requireFilePath } from './require-path.ts';
import { type Exec, runFileProgram, shellProgram } from './run-file-program.ts';

/** `$1` is the path, `$2` the first byte, `$3` how many or nothing, `$4` the format of an entry or nothing. */
const script = `
if ! [ -f "$1" ]; then
  stat -L -- "$1" >/dev/null && echo 'sh: Not a regular file' >&2
  exit 1
fi
if [ -n "$4" ]; then find -L "$1" -maxdepth 0 -printf "$4" || exit; fi
exec dd if="$1" bs=1M iflag=skip_bytes,count_bytes skip="$2" \${3:+count="$3"} status=none
`;

/** @throws SandgateError as `SandboxFiles.read` does */
export async function readFile(exec: Exec, request: FileReadRequest): Promise<void> {
  const { offsetBytes = 0, lengthBytes, signal, onEntry, onData } = request;
  const path = requireFilePath(request.path);
  for (const bytes of [offsetBytes, lengthBytes ?? 0]) {
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw new SandgateError('invalid_request', 'A range of a file begins at a whole byte.');
    }
  }
  const length = lengthBytes === undefined ? '' : String(lengthBytes);
  const head = onEntry === undefined ? null : new EntryHead(path, onEntry);
  await runFileProgram(exec, {
    argv: shellProgram(script, path, String(offsetBytes), length, head === null ? '' : entryFormat),
    path,
    ...(signal === undefined ? {} : { signal }),
    onData: (data) => {
      const rest = head === null ? data : head.takeFrom(data);
      return rest === null ? undefined : onData(rest);
    },
  });
  if (head?.complete === false) throw brokenListing();
}

/**
 * @throws SandgateError as `SandboxFiles.read` does; `invalid_request` for a file of more than
 * `maxBytes`.
 */
export async function readWholeFile(
  exec: Exec,
  path: string,
  maxBytes: number | undefined,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  await readFile(exec, {
    path,
    ...(maxBytes === undefined ? {} : { lengthBytes: maxBytes + 1 }),
    onData: (data) => {
      pieces.push(data);
      length += data.length;
    },
  });
  if (maxBytes !== undefined && length > maxBytes) {
    throw new SandgateError('invalid_request', `The file is larger than ${maxBytes} bytes.`);
  }
  return Buffer.concat(pieces);
}

/** The one record with which the output begins. */
class EntryHead {
  complete = false;
  readonly #path: string;
  readonly #onEntry: (entry: FileEntry) => void;
  #begun: Buffer = Buffer.alloc(0);

  constructor(path: string, onEntry: (entry: FileEntry) => void) {
    this.#path = path;
    this.#onEntry = onEntry;
  }

  /** What is behind the record; null when that is nothing yet. */
  takeFrom(data: Buffer): Buffer | null {
    if (this.complete) return data;
    const text = Buffer.concat([this.#begun, data]);
    const fields: Buffer[] = [];
    let from = 0;
    while (fields.length < entryFields) {
      const end = text.indexOf(0, from);
      if (end < 0) {
        if (text.length > maxRecordBytes) throw brokenListing();
        this.#begun = text;
        return null;
      }
      fields.push(text.subarray(from, end));
      from = end + 1;
    }
    this.complete = true;
    this.#onEntry(entryAt(this.#path, parseEntry(fields)));
    return from === text.length ? null : text.subarray(from);
  }
}
