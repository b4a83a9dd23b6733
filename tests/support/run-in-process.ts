import { runProgram } from '../../packages/cli/src/program.ts';
import type { CommandResult } from './server-process.ts';

/** Runs `msb` in this process, on a home of the test. Much faster than a process of its own. */
export async function runInProcess(
  commandLine: readonly string[],
  home: string,
  {
    secret = '',
    environment = {},
  }: { readonly secret?: string; readonly environment?: Readonly<Record<string, string>> } = {},
): Promise<CommandResult> {
  const printed = { stdout: '', stderr: '' };
  const decoder = new TextDecoder();
  const exitCode = await runProgram(commandLine, {
    environment: { SANDGATE_HOME: home, ...environment },
    currentFolder: home,
    print: (text) => {
      printed.stdout += `${text}\n`;
    },
    write: (data) => {
      printed.stdout += typeof data === 'string' ? data : decoder.decode(data);
    },
    secretsArePiped: true,
    readSecret: async () => secret,
    note: (text) => {
      printed.stderr += `${text}\n`;
    },
    writeNote: (data) => {
      printed.stderr += typeof data === 'string' ? data : decoder.decode(data);
    },
  });
  return { exitCode, ...printed };
}
