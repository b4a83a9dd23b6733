import { type FileReadRequest, SandgateError } from '@sandgate/core';
import { entryAt, entryFields, entryFormat, parseEntry, RecordSplitter } from './entry-records.ts';
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
  const format = onEntry === undefined ? '' : entryFormat;
  await runFileProgram(exec, {
    argv: shellProgram(script, path, String(offsetBytes), length, format),
    path,
    ...(signal === undefined ? {} : { signal }),
    onData:
      onEntry === undefined
        ? onData
        : afterEntry((fields) => onEntry(entryAt(path, parseEntry(fields))), onData),
  });
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

/** Takes the one record with which the output begins. */
function afterEntry(
  onRecord: (fields: readonly Buffer[]) => void,
  onData: FileReadRequest['onData'],
): FileReadRequest['onData'] {
  let head: Buffer | null = Buffer.alloc(0);
  return (data) => {
    if (head === null) return onData(data);
    head = Buffer.concat([head, data]);
    let end = 0;
    for (let field = 0; field < entryFields; field += 1) {
      end = head.indexOf(0, end) + 1;
      if (end === 0) return undefined;
    }
    const rest = head.subarray(end);
    new RecordSplitter(entryFields, onRecord).add(head.subarray(0, end));
    head = null;
    return rest.length === 0 ? undefined : onData(rest);
  };
}
