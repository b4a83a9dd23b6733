import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  openAdministration,
  type RunningServer,
  startServer,
} from '../../packages/server/src/main.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder();
const environment = { PATH: process.env.PATH };
const servers: RunningServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function start(home: string, port = '0') {
  const outcome = await startServer({ home, environment, flags: { port } });
  if (outcome.kind === 'started') servers.push(outcome.server);
  return outcome;
}

const keysOf = async (home: string) => {
  const administration = await openAdministration({ home, environment });
  const keys = await administration.listKeys({ includeRevoked: true });
  await administration.close();
  return keys;
};

/** Where an engine keeps what it needs while it runs: see `createRuntimeDirectory`. */
function runtimeDirectories(home: string): readonly string[] {
  const name = `sandgate-${createHash('sha256').update(home).digest('hex').slice(0, 16)}`;
  return [join('/run', name), join(tmpdir(), name), join(home, 'run')];
}

describe('a start that fails', () => {
  it('leaves nothing behind when the port is taken, and the first key to the next start', async () => {
    const home = join(folder, 'taken');
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await expect(start(home, String(port))).rejects.toMatchObject({ code: 'config_invalid' });
    other.close();
    expect(runtimeDirectories(home).filter((path) => existsSync(path))).toEqual([]);
    expect(existsSync(join(home, 'server.pid'))).toBe(false);
    expect(await keysOf(home)).toEqual([]);
    expect(await start(home)).toMatchObject({
      server: { firstOperatorKey: expect.stringMatching(/^msb_/) },
    });
  });

  it('makes no key that nobody sees when it fails after the port answers', async () => {
    const home = join(folder, 'h'.repeat(120));
    mkdirSync(home, { mode: 0o700 });
    await expect(start(home)).rejects.toThrow('too long');
    expect(await keysOf(home)).toEqual([]);
  });
});

describe('the first operator key', () => {
  it('is made where there were only keys of namespaces, and not where it was revoked', async () => {
    const home = join(folder, 'later');
    const administration = await openAdministration({ home, environment });
    await administration.issueKey({ namespace: 'team' });
    const outcome = await start(home);
    expect(outcome).toMatchObject({
      server: { firstOperatorKey: expect.stringMatching(/^msb_/) },
    });
    await servers.pop()?.close();
    await administration.revokeKey('2');
    await administration.close();
    expect(await start(home)).toMatchObject({ server: { firstOperatorKey: null } });
  });
});
