import { type ExecOutcome, type ExecRequest, SandgateError } from '@sandgate/core';

type Exec = (request: ExecRequest) => Promise<ExecOutcome>;

/**
 * Exit codes of the scripts below. All of them run inside, where a link or `..` leads nowhere but to
 * the sandbox's own files.
 */
const exitCodes = { missing: 44, notFile: 45, refused: 46 } as const;

const readScript = `
[ -e "$1" ] || exit ${exitCodes.missing}
[ -f "$1" ] || exit ${exitCodes.notFile}
[ -r "$1" ] || exit ${exitCodes.refused}
if [ -n "$2" ]; then exec head -c "$2" -- "$1"; else exec cat -- "$1"; fi
`;

const writeScript = `
file=$1
if [ -L "$file" ]; then file=$(readlink -f -- "$file") || exit ${exitCodes.missing}; fi
case $file in */*) parent=\${file%/*}/ ;; esac
[ -d "$parent" ] || exit ${exitCodes.missing}
if [ -e "$file" ] && ! [ -f "$file" ]; then exit ${exitCodes.notFile}; fi
[ -w "$parent" ] || exit ${exitCodes.refused}
part=$(mktemp -- "$parent.sandgate-XXXXXXXX") || exit ${exitCodes.refused}
cat >"$part" && chmod "$2" -- "$part" && mv -f -T -- "$part" "$file" && exit 0
rm -f -- "$part"
exit ${exitCodes.refused}
`;

const maxErrorBytes = 2_048;

/**
 * @throws SandgateError `not_found`; `invalid_request` for a relative path, what is no regular file,
 * and a file of more than `maxBytes`.
 */
export async function readSandboxFile(
  exec: Exec,
  path: string,
  maxBytes: number | undefined,
): Promise<Buffer> {
  requireAbsolute(path);
  const pieces: Buffer[] = [];
  let length = 0;
  const limit = maxBytes === undefined ? '' : String(maxBytes + 1);
  const error = await runScript(exec, readScript, [path, limit], undefined, (data) => {
    pieces.push(data);
    length += data.length;
  });
  throwFileError(error, path);
  if (maxBytes !== undefined && length > maxBytes) {
    throw new SandgateError('invalid_request', `The file is larger than ${maxBytes} bytes.`);
  }
  return Buffer.concat(pieces);
}

/**
 * Writes beside the file and renames, so that nobody sees half of it.
 * @throws SandgateError `not_found` when the parent directory is missing; `invalid_request`
 */
export async function writeSandboxFile(
  exec: Exec,
  path: string,
  data: Uint8Array,
  mode: number,
): Promise<void> {
  requireAbsolute(path);
  const permissions = (mode & 0o7777).toString(8);
  throwFileError(await runScript(exec, writeScript, [path, permissions], data, () => {}), path);
}

async function runScript(
  exec: Exec,
  script: string,
  words: readonly string[],
  stdin: Uint8Array | undefined,
  onData: (data: Buffer) => void,
): Promise<{ readonly exitCode: number; readonly text: string }> {
  let text = '';
  const outcome = await exec({
    argv: ['/bin/sh', '-c', script, 'sh', ...words],
    cwd: '/',
    environment: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    ...(stdin === undefined ? {} : { stdin }),
    onOutput: (chunk) => {
      if (chunk.stream === 'stdout') onData(chunk.data);
      else text = (text + chunk.data.toString('utf8')).slice(0, maxErrorBytes);
    },
  });
  if (outcome.kind === 'exited') return { exitCode: outcome.exitCode, text };
  throw new SandgateError('sandbox_ended', 'The sandbox ended while a file was moved.');
}

function throwFileError(
  result: { readonly exitCode: number; readonly text: string },
  path: string,
): void {
  const quoted = JSON.stringify(path);
  switch (result.exitCode) {
    case 0:
      return;
    case exitCodes.missing:
      throw new SandgateError('not_found', `There is no ${quoted} in this sandbox.`);
    case exitCodes.notFile:
      throw new SandgateError('invalid_request', `${quoted} is not a regular file.`);
    default:
      throw new SandgateError('invalid_request', `${quoted} could not be read or written.`, {
        detail: result.text,
      });
  }
}

function requireAbsolute(path: string): void {
  if (!path.startsWith('/') || path.includes('\0') || path.endsWith('/')) {
    throw new SandgateError('invalid_request', 'A file path is absolute and names a file.');
  }
}
