import { randomBytes } from 'node:crypto';
import type { FileWriteRequest } from '@sandgate/core';
import { feedProgram } from './feed-program.ts';
import { requireFilePath } from './require-path.ts';
import { type Exec, shellProgram } from './run-file-program.ts';

/**
 * `$1` is the path, `$2` the name of the part, `$3` is set where parents are to be made. `$4` is the
 * umask with which the part is made, `$5` a mode that it gets later; without either, the file keeps the
 * mode that it has. Nobody may read the part who may not read the file.
 */
const script = `
file=$1
if [ -L "$file" ]; then
  file=$(readlink -v -f -- "$file" && echo .) || exit 1
  file=\${file%??}
fi
parent=\${file%/*}/
if [ -n "$3" ] && ! [ -d "$parent" ]; then mkdir -p -- "$parent." || exit 1; fi
[ -d "$parent" ] || stat -L -- "$parent" >/dev/null || exit 1
mode=$5 mask=$4
if [ -e "$file" ]; then
  [ -f "$file" ] || { echo 'sh: Not a regular file' >&2; exit 1; }
  if [ -z "$mask" ]; then mode=--reference=$file mask=077; fi
fi
umask "\${mask:-022}"
part=$parent$2
trap 'rm -f -- "$part"; exit 143' TERM
set -C
dd bs=64K status=none >"$part"
status=$?
if [ "$status" = 0 ] && { [ -z "$mode" ] || chmod "$mode" -- "$part"; }; then
  mv -f -T -- "$part" "$file" && exit
  status=1
fi
rm -f -- "$part"
exit "$status"
`;

/** Names of what is not complete yet, in the directory of what it will be. */
export const partPrefix = '.sandgate-';
export const newPartName = (): string => `${partPrefix}${randomBytes(12).toString('hex')}`;

/** @throws SandgateError as `SandboxFiles.write` does, and what the source throws */
export async function writeFile(exec: Exec, request: FileWriteRequest): Promise<number> {
  const path = requireFilePath(request.path);
  const parents = request.makeParents === true ? 'make' : '';
  const argv = shellProgram(script, path, newPartName(), parents, ...modeWords(request.mode));
  const { source, signal } = request;
  return await feedProgram(exec, {
    argv,
    path,
    source,
    ...(signal === undefined ? {} : { signal }),
  });
}

/** @throws SandgateError as `EngineSandbox.writeFile` does */
export async function writeWholeFile(
  exec: Exec,
  path: string,
  data: Uint8Array,
  mode: number,
): Promise<void> {
  async function* onePiece(): AsyncGenerator<Uint8Array> {
    yield data;
  }
  await writeFile(exec, { path, source: onePiece(), mode });
}

/** A umask gives every mode but one with bits that no new file has; that takes a program more. */
function modeWords(mode: number | undefined): [mask: string, mode: string] {
  if (mode === undefined) return ['', ''];
  if ((mode & ~0o666) === 0) return [(0o666 & ~mode).toString(8), ''];
  return ['077', (mode & 0o7777).toString(8)];
}
