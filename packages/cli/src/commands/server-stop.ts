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
  const { controlClient, isStillRunning } = await loadServer();
  const answered = await controlClient.stop(home).catch(() => null);
  // The process of that number may be another one, where the server is in another container.
  if (answered === null && (await isStillRunning(server))) process.kill(server.pid, 'SIGTERM');
}

/** By its process, or by its answers where that cannot be seen from here. */
async function isThere(home: string, server: ServerRecord): Promise<boolean> {
  const { controlClient, isStillRunning } = await loadServer();
  if (await isStillRunning(server)) return true;
  const answered = await controlClient.record(home).catch(() => null);
  return answered?.startTicks === server.startTicks && answered.pid === server.pid;
}

async function untilGone(home: string, server: ServerRecord): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (await isThere(home, server)) {
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
      await withProgress(terminal, 'Waiting for the server to stop', untilGone(home, server));
      terminal.print('The server has stopped.');
    });
  addExamples(command, 'msb server stop');
}
