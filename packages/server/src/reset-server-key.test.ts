import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { controlClient, openAdministration, startServer } from './main.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sandgate-reset-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

it('leaves file, store and process with one key, however many resets come at once', async () => {
  const started = await startServer({ home, flags: { port: '0' }, environment: process.env });
  if (started.kind !== 'started') throw new Error('Another server runs on a new home.');
  const { server } = started;
  try {
    await Promise.all(Array.from({ length: 8 }, () => controlClient.resetServerKey(home)));
    const administration = await openAdministration({ home });
    const { text } = await administration.issueKey({});
    await administration.close();
    const body = { jsonrpc: '2.0', id: 1, method: 'sandbox.metrics.get', params: {} };
    const response = await fetch(`${server.address}/api/v1/rpc`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${text}` },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(200);
  } finally {
    await server.close();
  }
}, 60_000);
