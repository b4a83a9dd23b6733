import type { Command } from 'commander';
import { wholeNumberOption } from '../duration-option.ts';
import { addExamples } from '../examples.ts';
import { failure } from '../exit.ts';
import { followFile, readTail } from '../log-file.ts';
import { loadServer } from '../server-module.ts';
import { addKeyStoreOptions, administer, homeOf, type KeyStoreOptions } from '../state-options.ts';
import type { Terminal } from '../terminal.ts';

interface Options extends KeyStoreOptions {
  readonly namespace: string;
  readonly tail?: number;
  readonly follow?: true;
}

async function findSandboxLog(terminal: Terminal, name: string, options: Options): Promise<string> {
  const { sandboxLogPath } = await loadServer();
  const sandboxes = await administer(terminal, options, (administration) =>
    administration.listSandboxes(options.namespace),
  );
  const sandbox = sandboxes.find((candidate) => candidate.name === name);
  if (sandbox !== undefined) return sandboxLogPath(await homeOf(terminal, options), sandbox.id);
  throw failure(`Sandbox '${name}' not found in namespace '${options.namespace}'`);
}

export function addServerLog(parent: Command, terminal: Terminal): void {
  const command = addKeyStoreOptions(parent.command('log'))
    .description("Print the server's log, or what a sandbox's main command wrote.")
    .argument('[name]', 'sandbox (default: the server itself)')
    .option('-n, --namespace <name>', 'namespace of the sandbox', 'default')
    .option('-t, --tail <lines>', 'only the last lines', wholeNumberOption(0))
    .option('-f, --follow', 'go on with what is written, until Ctrl-C')
    .action(async (name: string | undefined, options: Options) => {
      const { serverLogPath } = await loadServer();
      const path =
        name === undefined
          ? serverLogPath(await homeOf(terminal, options))
          : await findSandboxLog(terminal, name, options);
      const tail = await readTail(path, options.tail ?? Number.POSITIVE_INFINITY);
      if (tail === null && !options.follow) throw failure(`Nothing was written to ${path} yet`);
      terminal.write(tail?.text ?? '');
      if (options.follow) await followFile(path, tail?.end ?? 0, terminal);
    });
  addExamples(
    command,
    'msb server log -t 20',
    'msb server log -f',
    'msb server log box -n team-alpha',
  );
}
