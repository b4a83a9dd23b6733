import type { Command } from 'commander';
import { addExamples } from '../examples.ts';
import { notRunning } from '../exit.ts';
import { withProgress } from '../progress.ts';
import { loadServer } from '../server-module.ts';
import { addStateOption, homeOf, type StateOptions } from '../state-options.ts';
import type { Terminal } from '../terminal.ts';

interface Options extends StateOptions {
  readonly namespace: string;
}

export function addServerRemove(parent: Command, terminal: Terminal): void {
  const command = addStateOption(parent.command('remove'))
    .description('Remove a sandbox for ever, running or not, with its files and its log.')
    .argument('<name>', 'sandbox')
    .option('-n, --namespace <name>', 'namespace of the sandbox', 'default')
    .action(async (name: string, options: Options) => {
      const { controlClient } = await loadServer();
      const home = await homeOf(terminal, options);
      const { namespace } = options;
      const removal = controlClient.removeSandbox(home, { namespace, name });
      const removed = await withProgress(terminal, `Removing ${name}`, removal);
      if (removed === null) {
        throw notRunning(`No server runs on ${home}. Start it with: msb server start`);
      }
      terminal.print(`Sandbox ${name} was removed.`);
    });
  addExamples(command, 'msb server remove box', 'msb server remove box -n team-alpha');
}
