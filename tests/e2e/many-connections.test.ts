import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { insideOf } from '../support/attacked-server.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let server: ServerProcess;
const sockets: Socket[] = [];

beforeEach(async () => {
  server = await startServerProcess({ home: temporaryFolder(), openFiles: 300 });
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server.stop();
});

describe('more connections than a server has descriptors', () => {
  it('leave enough of them to sandboxes, and the server alive', async () => {
    const inside = insideOf(server, 'first');
    expect((await inside.start()).body.result).toBeDefined();
    const { hostname, port } = new URL(server.address);
    // The one over which the calls come is kept by none of these.
    for (let round = 0; round < 400; round += 1) {
      const socket = connect(Number(port), hostname).on('error', () => {});
      sockets.push(socket);
      if (round < 140) await once(socket, 'connect');
    }
    const closed = (): number => sockets.filter((socket) => socket.closed).length;
    await expect.poll(closed).toBeGreaterThan(200);
    for (const socket of sockets.splice(0, 30)) socket.destroy();
    await expect.poll(async () => (await inside.run('echo', ['fine'])).stdout).toEqual(['fine']);
    const other = insideOf(server, 'second');
    expect((await other.start()).body.result).toBeDefined();
    expect((await other.run('echo', ['fine'])).stdout).toEqual(['fine']);
    expect(server.process.exitCode).toBeNull();
  });
});
