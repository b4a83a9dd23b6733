import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { ClientOrder, ClientReport, HistoryTarget, RecordedCall } from './recorded-call.ts';

export interface ClientProcesses {
  /** Where the server is now. */
  sendTo(address: string): void;
  use(targets: readonly HistoryTarget[]): void;
  /** Lets calls under way end. @returns everything that all clients saw */
  end(): Promise<readonly RecordedCall[]>;
  kill(): void;
}

/** Starts processes that call as soon as they know where, and with which keys. */
export function startClients(count: number): ClientProcesses {
  const calls: RecordedCall[] = [];
  const children = Array.from({ length: count }, () =>
    fork(join(import.meta.dirname, 'history-client.ts')),
  );
  const ended = Promise.all(children.map((child) => collect(child, calls)));
  const order = (message: ClientOrder): void => {
    for (const child of children) if (child.connected) child.send(message);
  };
  return {
    sendTo: (address) => order({ kind: 'address', address }),
    use: (targets) => order({ kind: 'targets', targets }),
    async end() {
      order({ kind: 'end' });
      await ended;
      return calls;
    },
    kill() {
      for (const child of children) child.kill('SIGKILL');
    },
  };
}

async function collect(child: ChildProcess, calls: RecordedCall[]): Promise<void> {
  let complete = false;
  child.on('message', (report: ClientReport) => {
    if (report.kind === 'calls') calls.push(...report.calls);
    else {
      complete = true;
      child.disconnect();
    }
  });
  await once(child, 'exit');
  if (!complete) throw new Error('A client process ended before it told what it saw.');
}
