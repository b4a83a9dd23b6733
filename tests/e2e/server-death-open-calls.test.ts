import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ordinaryUser } from '../support/attacked-server.ts';
import {
  machineResidue,
  noResidue,
  passingRows,
  processesWith,
  runtimeDirectoryOf,
} from '../support/machine-residue.ts';
import { ownedFolder } from '../support/owned-folder.ts';
import { startServerProcess } from '../support/server-process.ts';
import { createDoorClient } from '../support/soak/door-client.ts';

const users = [
  ['its own', null],
  ...(process.getuid?.() === 0 ? [['an ordinary', ordinaryUser] as const] : []),
] as const;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Answers each connection with one line, and never ends. */
const endless = `python3 -c "
import socket, time
server = socket.create_server(('127.0.0.1', 8000))
while True:
    taken, _ = server.accept()
    taken.recv(65536)
    taken.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\n\\r\\nhere\\n')
    time.sleep(300)"`;

it.each(users)(
  'as %s user, a server that is killed leaves nothing of terminals, background processes and ports',
  async (_, identity) => {
    const home = ownedFolder(identity);
    const start = async () => {
      const server = await startServerProcess({
        home,
        ...(identity === null ? {} : { user: identity }),
      });
      closers.push(() => server.kill());
      return server;
    };
    const server = await start();
    const client = createDoorClient(server.address, server.firstKey);
    closers.push(() => client.close());
    const mark = `8${process.pid}${Date.now() % 100_000}`;
    const { body: sandbox } = await client.native('POST', '/sandboxes', {
      name: 'box',
      env: { GIVEN: 'at-create' },
    });
    const at = `/sandboxes/${sandbox.id}`;
    const authorization = { authorization: `Bearer ${server.firstKey}` };

    const begun = await client.native('POST', `${at}/processes`, {
      command: `echo begun; exec sleep ${mark}`,
    });
    expect(begun.status, begun.text).toBe(200);
    const listening = await client.native('POST', `${at}/processes`, { command: endless });
    expect(listening.status, listening.text).toBe(200);

    const socket = new WebSocket(
      `${server.address.replace('http', 'ws')}/api/v1${at}/terminal?command=${encodeURIComponent(`echo shown; exec sleep ${mark}`)}`,
      { headers: authorization },
    );
    const socketClosed = once(socket, 'close');
    const [shown] = (await once(socket, 'message')) as [Buffer];
    expect(shown.toString()).toContain('shown');

    const dial = async (): Promise<IncomingMessage> => {
      const call = request(`${server.address}/api/v1${at}/ports/8000/`, { headers: authorization });
      const [response] = (await once(call.end(), 'response')) as [IncomingMessage];
      return response;
    };
    let dialled = await dial();
    // Until the program listens, nothing answers at its port.
    await expect
      .poll(async () => {
        if (dialled.statusCode === 200) return 200;
        dialled.resume();
        dialled = await dial();
        return dialled.statusCode;
      })
      .toBe(200);
    expect(String((await once(dialled, 'data'))[0])).toBe('here\n');
    const cut = new Promise<void>((resolve) => {
      dialled.once('error', () => resolve());
      dialled.once('end', () => resolve());
    });

    await expect.poll(() => processesWith(mark).length).toBeGreaterThanOrEqual(2);
    const runtime = runtimeDirectoryOf(home);
    await server.kill();
    await Promise.all([socketClosed, cut]);
    await expect.poll(() => [...processesWith(mark), ...processesWith(`${runtime}/`)]).toEqual([]);

    const next = await start();
    const again = createDoorClient(next.address, server.firstKey);
    closers.push(() => again.close());
    expect(machineResidue(home, next.process.pid ?? null)).toEqual(noResidue);
    expect(passingRows(home)).toEqual([]);
    expect((await again.native('POST', `${at}/start`)).status).toBe(200);
    const told = await again.native('POST', `${at}/exec`, { command: 'echo $GIVEN' });
    expect(told.body).toMatchObject({ stdout: 'at-create\n' });
    expect((await again.native('GET', `${at}/processes`)).body.processes).toEqual([]);
    const gone = await again.native('GET', `${at}/processes/${begun.body.id}`);
    expect(gone.status).toBe(404);
    expect((await again.native('DELETE', at)).status).toBe(200);
    expect(machineResidue(home, next.process.pid ?? null)).toEqual(noResidue);
    expect(await next.stop()).toBe(0);
  },
  120_000,
);
