import type { Command } from 'commander';
import { addServerOptions, apiPath, connectApi, type ServerOptions } from '../api-client.ts';
import { addExamples } from '../examples.ts';
import { Exit, exitCodes } from '../exit.ts';
import { sitAtTerminal } from '../sit-at-terminal.ts';
import type { Terminal } from '../terminal.ts';

interface Options extends ServerOptions {
  readonly cwd?: string;
}

/** What a sandbox can know of the terminal that shows it. */
const terminalName = /^[a-z0-9+.-]{1,64}$/i;

/** `shell`. */
export function addShell(parent: Command, terminal: Terminal): void {
  const command = addServerOptions(parent.command('shell'))
    .description(
      'Open a terminal in a sandbox, and end with the exit code of what ran in it. Ctrl-] twice leaves it.',
    )
    .argument('<sandbox>', 'name or id of the sandbox')
    .argument('[command]', 'line for its shell (default: the shell itself)')
    .option('--cwd <path>', "directory that it begins in (default: the sandbox's)")
    .action(async (sandbox: string, line: string | undefined, options: Options) => {
      const { stdin, stdout } = process;
      if (!stdin.isTTY || !stdout.isTTY) {
        const problem = 'This is no terminal. To run a program: msb sandboxes exec';
        throw new Exit(exitCodes.usage, problem);
      }
      const { TERM: name = '' } = terminal.environment;
      const api = await connectApi(terminal, options);
      const socket = await api.socket(apiPath`sandboxes/${sandbox}/terminal`, {
        columns: stdout.columns || undefined,
        rows: stdout.rows || undefined,
        command: line,
        cwd: options.cwd,
        env: terminalName.test(name) ? JSON.stringify({ TERM: name }) : undefined,
      });
      const exitCode = await sitAtTerminal(socket, stdin, stdout);
      if (exitCode !== 0) throw new Exit(exitCode);
    });
  addExamples(command, 'msb shell box', "msb shell box 'top -d 1'");
}
