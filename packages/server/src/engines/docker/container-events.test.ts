import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { expect, it } from 'vitest';
import { ContainerEvents } from './container-events.ts';

it('opens the stream of events by a later call when the daemon did not answer the first', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sandgate-events-'));
  const socketPath = join(folder, 'docker.sock');
  const answers: ((response: ServerResponse) => void)[] = [
    (response) => response.writeHead(500).end('{"message":"not yet"}'),
    (response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      const died = { Action: 'die', time: 1, Actor: { ID: 'box', Attributes: { exitCode: '3' } } };
      response.write(`${JSON.stringify(died)}\n`);
    },
  ];
  const daemon = createServer((_, response) => answers.shift()?.(response)).listen(socketPath);
  await once(daemon, 'listening');
  const events = new ContainerEvents(new Docker({ socketPath }), 'label');
  try {
    const end = events.end('box');
    await expect(events.open()).rejects.toThrow('not yet');
    await events.open();
    expect(await end).toBe(3);
  } finally {
    events.close();
    daemon.closeAllConnections();
    daemon.close();
    rmSync(folder, { recursive: true });
  }
});
