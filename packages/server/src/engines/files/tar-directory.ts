import type { SandboxFiles } from '@sandgate/core';
import { feedProgram } from './feed-program.ts';
import { requirePath } from './require-path.ts';
import { type Exec, runFileProgram, shellProgram } from './run-file-program.ts';
import { newPartName } from './write-file.ts';

type PackRequest = Parameters<SandboxFiles['pack']>[0];
type UnpackRequest = Parameters<SandboxFiles['unpack']>[0];

/** Of the root, only what is its own: not the system's programs, nor what is no file of anybody. */
const packScript = `
if [ "$1" -ef / ]; then own=--one-file-system; else own=; fi
exec tar -c -f - -C "$1" $own .
`;

/**
 * Unpacks beside what is there and links it in its place, so that an archive that ends early leaves
 * nothing, and no link that was there leads a file elsewhere: a directory in the place of a link is
 * refused. Linking fails where another file system is mounted in the directory; then files are copied.
 */
const unpackScript = `
mkdir -p -- "$1" || exit 1
part=$1/$2
clean() {
  rm -rf -- "$part" 2>/dev/null && return
  find "$part" -type d -exec chmod u+rwx {} + 2>/dev/null
  rm -rf -- "$part"
}
trap 'clean; exit 143' TERM
mkdir -- "$part" && chmod --reference="$1" -- "$part" || exit 1
tar -x -p -f - -C "$part"
status=$?
if [ "$status" = 0 ]; then
  place() { cp -a -T --remove-destination "$@" -- "$part" "$directory"; }
  directory=$1
  place -l 2>/dev/null || place || status=1
fi
clean
exit "$status"
`;

/** @throws SandgateError as `SandboxFiles.pack` does */
export async function packDirectory(exec: Exec, request: PackRequest): Promise<void> {
  const path = requirePath(request.path);
  const { signal, onData } = request;
  await runFileProgram(exec, {
    argv: shellProgram(packScript, path),
    path,
    ...(signal === undefined ? {} : { signal }),
    onData,
    // Of a file that changed meanwhile.
    maxExitCode: 1,
  });
}

/** @throws SandgateError as `SandboxFiles.unpack` does, and what the source throws */
export async function unpackDirectory(exec: Exec, request: UnpackRequest): Promise<void> {
  const path = requirePath(request.path);
  const { signal, source } = request;
  await feedProgram(exec, {
    argv: shellProgram(unpackScript, path, newPartName()),
    path,
    source,
    ...(signal === undefined ? {} : { signal }),
  });
}
