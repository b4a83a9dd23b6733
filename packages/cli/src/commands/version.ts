import type { Command } from 'commander';
import type { Terminal } from '../terminal.ts';
import { packageVersion } from '../version.ts';

export function addVersion(parent: Command, terminal: Terminal): void {
  parent
    .command('version')
    .description('Print the version.')
    .action(() => terminal.print(packageVersion()));
}
