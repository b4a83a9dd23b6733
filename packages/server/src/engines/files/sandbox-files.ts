import type { SandboxFiles } from '@sandgate/core';
import { listDirectory, statEntry } from './list-directory.ts';
import { readFile } from './read-file.ts';
import { requirePath } from './require-path.ts';
import { type Exec, runFileProgram, shellProgram } from './run-file-program.ts';
import { packDirectory, unpackDirectory } from './tar-directory.ts';
import { watchDirectory } from './watch-directory.ts';
import { writeFile } from './write-file.ts';

/** `mv -n` says nothing of what it leaves where it is. */
const moveScript = `
there() { [ -e "$1" ] || [ -L "$1" ]; }
if ! { there "$1" && there "$2"; }; then
  mv -n -T -- "$1" "$2" || exit 1
  there "$1" || exit 0
fi
echo 'sh: File exists' >&2
exit 1
`;

/** Files by the system's programs, run inside by the sandbox's user. */
export function createSandboxFiles(exec: Exec): SandboxFiles {
  const run = async (path: string, program: readonly string[]): Promise<void> => {
    const at = requirePath(path);
    await runFileProgram(exec, { argv: [...program, '--', at], path: at });
  };
  return {
    stat: (path) => statEntry(exec, path),
    list: (path, { maxEntries }) => listDirectory(exec, path, maxEntries),
    makeDirectory: (path, { parents = false } = {}) =>
      run(path, ['mkdir', ...(parents ? ['-p'] : [])]),
    move: async (from, to) => {
      const [source, target] = [requirePath(from), requirePath(to)];
      await runFileProgram(exec, { argv: shellProgram(moveScript, source, target), path: to });
    },
    remove: (path, { recursive = false } = {}) => run(path, ['rm', recursive ? '-r' : '-d']),
    read: (request) => readFile(exec, request),
    write: (request) => writeFile(exec, request),
    pack: (request) => packDirectory(exec, request),
    unpack: (request) => unpackDirectory(exec, request),
    watch: (request) => watchDirectory(exec, request),
  };
}
