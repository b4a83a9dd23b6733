import { setTimeout as delay } from 'node:timers/promises';
import type { ServerRecord } from '@sandgate/server';
import type { Command } from 'commander';
import { addExamples } from '../examples.ts';
import { failure, notRunning } from '../exit.ts';
import { withProgress } from '../progress.ts';
import { loadServer } from '../server-module.ts';
import { addStateOption, homeOf, type StateOptions } from '../state-options.ts';
import type { Terminal } from '../terminal.ts';

/** Longer than the longest that a server may be configured to drain. */
const patienceMs = 3_660_000;
const pollMs = 50;

async function askToStop(home: string, server: ServerRecord): Promise<void> {
  const { controlClient } = await loadServer();
  const answered = await controlClient.stop(home).catch(() => null);
  if (answered === null) process.kill(server.pid, 'SIGTERM');
}

async function untilGone(server: ServerRecord): Promise<void> {
  const { isStillRunning } = await loadServer();
  const endMs = performance.now() + patienceMs;
  while (await isStillRunning(server)) {
    if (performance.now() > endMs) throw failure(`The server (PID ${server.pid}) does not stop.`);
    await delay(pollMs);
  }
}

export function addServerStop(parent: Command, terminal: Terminal): void {
  const command = addStateOption(parent.command('stop'))
    .description('Stop the server: calls in progress may end, then every sandbox is stopped.')
    .action(async (options: StateOptions) => {
      const { findRunningServer } = await loadServer();
      const home = await homeOf(terminal, options);
      const server = await findRunningServer(home);
      if (server === null) throw notRunning(`No server runs on ${home}`);
      await askToStop(home, server);
      await withProgress(terminal, 'Waiting for the server to stop', untilGone(server));
      terminal.print('The server has stopped.');
    });
  addExamples(command, 'msb server stop');
}
