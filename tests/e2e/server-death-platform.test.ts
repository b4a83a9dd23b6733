import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ordinaryUser } from '../support/attacked-server.ts';
import {
  keptFiles,
  machineResidue,
  noResidue,
  passingRows,
  processesWith,
  runtimeDirectoryOf,
} from '../support/machine-residue.ts';
import { ownedFolder } from '../support/owned-folder.ts';
import { startServerProcess } from '../support/server-process.ts';
import { createDoorClient, type DoorClient } from '../support/soak/door-client.ts';

const isRoot = process.getuid?.() === 0;
const users = isRoot ? (['own', 'ordinary'] as const) : (['own'] as const);
const poll = { timeout: 20_000, interval: 50 };
const queued = 6;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Takes connections, and answers with one byte so that both ends know of them. */
async function startListener() {
  const connections = new Set<Socket>();
  const server = createServer((socket) => {
    connections.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => connections.delete(socket));
    socket.write('.');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => server.close());
  return { port: (server.address() as AddressInfo).port, connections };
}

/** Opens a connection by the sandbox's proxy and keeps it. */
const connectTo = (port: number): string =>
  `exec python3 -c "
import socket, time
way = socket.create_connection(('127.0.0.2', 3128))
way.sendall(b'CONNECT 127.0.0.1:${port} HTTP/1.1\\r\\nHost: 127.0.0.1:${port}\\r\\n\\r\\n')
while b'.' not in way.recv(4096): pass
time.sleep(300)"`;

async function answered(
  call: ReturnType<DoorClient['brimble']>,
  status: number,
): Promise<ReturnType<typeof JSON.parse>> {
  const answer = await call;
  if (answer.status !== status) throw new Error(`${answer.status}: ${answer.text}`);
  return answer.body?.data;
}

describe.each(users)('a server that runs as its %s user and is killed', (user) => {
  const identity = user === 'ordinary' ? ordinaryUser : null;
  /** Volumes that are memory are no larger than that, and this door has none that small. */
  const hasDisks = user === 'own' && isRoot;

  const start = async (home: string, pool: object, key?: string) => {
    const config = { pool, egress: { allowedPrivateRanges: ['127.0.0.1/32'] } };
    writeFileSync(join(home, 'config.json'), JSON.stringify(config));
    const server = await startServerProcess({
      home,
      ...(identity === null ? {} : { user: identity }),
    });
    closers.push(() => server.kill());
    const client = createDoorClient(server.address, key ?? server.firstKey);
    closers.push(() => client.close());
    return { server, client };
  };

  it('with everything under way agrees with its records at the next start, and leaves nothing', async () => {
    const home = ownedFolder(identity);
    const listener = await startListener();
    const { server, client } = await start(home, { python: 2 });
    const mark = `9${process.pid}${Date.now() % 100_000}`;
    const create = async (name: string, wanted: object = {}): Promise<string> =>
      (await answered(client.brimble('POST', '/sandboxes', { name, ...wanted }), 201)).id;
    const exec = (id: string, cmd: string) =>
      answered(client.brimble('POST', `/sandboxes/${id}/exec`, { cmd }), 200);
    /** Not waited for: the server is killed while it works. */
    const begin = (call: Promise<unknown>): void => void call.catch(() => undefined);

    const paused = await create('paused');
    await exec(paused, `(setsid sleep ${mark} >/dev/null 2>&1 &)`);
    await answered(client.brimble('POST', `/sandboxes/${paused}/pause`), 200);
    const volume = await answered(
      client.brimble('POST', '/volumes', { name: 'v', sizeGB: 10 }),
      201,
    );
    const attached = await create(
      'attached',
      hasDisks ? { volumeId: volume.id, mountPath: '/data' } : {},
    );
    await exec(attached, 'test ! -d /data || echo kept >/data/file; sync');
    const connected = await create('connected', { egress: { mode: 'open' } });
    begin(
      client.brimble('POST', `/sandboxes/${connected}/exec`, { cmd: connectTo(listener.port) }),
    );
    await expect.poll(() => listener.connections.size, poll).toBe(1);
    const large = await create('large');
    await exec(large, 'head -c 150000000 /dev/urandom >/workspace/much');
    const pausing = await create('pausing');
    const snapshot = await answered(
      client.brimble('POST', `/sandboxes/${large}/snapshots`, { name: 'half' }),
      202,
    );
    begin(client.brimble('POST', `/sandboxes/${pausing}/pause`));
    for (let index = 0; index < queued; index += 1) begin(create(`queued-${index}`));
    await new Promise((resolve) => setTimeout(resolve, 15));
    const runtime = runtimeDirectoryOf(home);
    await server.kill();
    await expect
      .poll(() => [...processesWith(mark), ...processesWith(`${runtime}/`)], poll)
      .toEqual([]);
    await expect.poll(() => listener.connections.size, poll).toBe(0);

    const next = await start(home, {}, server.firstKey);
    expect(machineResidue(home, next.server.process.pid ?? null)).toEqual(noResidue);
    expect(passingRows(home)).toEqual([]);
    const again = (method: string, path: string, status: number, body?: object) =>
      answered(next.client.brimble(method, path, body), status);
    const { data: sandboxes } = await again('GET', '/sandboxes?limit=100', 200);
    const listed: readonly { id: string; status: string }[] = sandboxes;
    expect(listed.filter(({ status }) => status !== 'paused' && status !== 'failed')).toEqual([]);
    expect(listed.map(({ id }) => id)).toEqual(
      expect.arrayContaining([paused, attached, connected, large, pausing]),
    );
    // The snapshot may have been done by the time that the server was killed.
    const { data: snapshots } = await again('GET', '/sandboxes/snapshots', 200);
    expect(snapshots).toMatchObject([{ id: snapshot.id }]);
    expect(['failed', 'ready']).toContain(snapshots[0].status);
    expect((await again('GET', `/volumes/${volume.id}`, 200)).attached_sandbox_id).toBe(null);

    for (const id of [paused, attached, connected, large, pausing]) {
      await again('POST', `/sandboxes/${id}/resume`, 200);
    }
    const { stdout } = await again('POST', `/sandboxes/${attached}/exec`, 200, {
      cmd: 'cat /data/file 2>/dev/null; echo alive',
    });
    expect(stdout).toBe(hasDisks ? 'kept\nalive\n' : 'alive\n');
    for (const { id } of listed) await again('DELETE', `/sandboxes/${id}`, 204);
    await again('DELETE', `/sandboxes/snapshots/${snapshot.id}`, 204);
    await again('DELETE', `/volumes/${volume.id}`, 204);
    expect(machineResidue(home, next.server.process.pid ?? null)).toEqual(noResidue);
    expect(keptFiles(home)).toEqual([]);
    expect(await next.server.stop()).toBe(0);
    expect(runtimeDirectoryOf(home)).toBe(null);
  }, 120_000);
});
