import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine, EngineSandbox } from '@sandgate/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRecordedProcess } from '../launch-sandbox.ts';
import { createNamespaceEngine } from '../namespace-engine.ts';
import { createRuntimeDirectory } from '../runtime-directory.ts';
import { openNetworkNamespace } from './open-network-namespace.ts';
import { SocketOpener } from './socket-opener.ts';
import { findSocketPrograms } from './socket-program.ts';

let state: string;
let engine: Engine;

beforeAll(() => {
  state = mkdtempSync(join(tmpdir(), 'sandgate-engine-'));
  engine = createNamespaceEngine({ stateDirectory: state });
});

afterAll(async () => {
  await engine.close();
  rmSync(state, { recursive: true, force: true });
});

function start(): Promise<EngineSandbox> {
  return engine.start({
    id: randomBytes(12).toString('hex'),
    hostname: 'box',
    image: 'microsandbox/node',
    resources: { memoryMib: 256, cpus: 1, diskMib: 32, maxProcesses: 64 },
    environment: {},
    workdir: '/workspace',
    mounts: [],
    scripts: {},
  });
}

/** Network namespaces other than its own that this process holds open. */
function heldNamespaces(): number {
  const own = readlinkSync('/proc/self/ns/net');
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith('net:') && target !== own;
    } catch {
      return false;
    }
  }).length;
}

describe('the network of a sandbox', () => {
  it('takes nothing before its first use, and leaves nothing behind', async () => {
    const sandbox = await start();
    expect(heldNamespaces()).toBe(0);
    await sandbox.setEgress?.({ mode: 'open' });
    expect(heldNamespaces()).toBe(1);
    await sandbox.stop({ keepLayer: false });
    expect(heldNamespaces()).toBe(0);
  });

  it('is refused while a program listens in the place of the proxy, and given when it has ended', async () => {
    const sandbox = await start();
    const listen = "require('net').createServer().listen(3128, () => console.log('ready'))";
    const end = new AbortController();
    let ended: Promise<unknown> = Promise.resolve();
    await new Promise<void>((resolve) => {
      const argv = ['node', '-e', listen];
      ended = sandbox.exec({ argv, signal: end.signal, onOutput: () => resolve() });
    });
    await expect(sandbox.setEgress?.({ mode: 'open' })).rejects.toMatchObject({
      code: 'sandbox_busy',
      message: expect.stringContaining('127.0.0.2:3128'),
    });
    end.abort();
    await ended;
    await sandbox.setEgress?.({ mode: 'open' });
    await sandbox.stop({ keepLayer: false });
  });
});

it.each(findSocketPrograms().map((program) => [program.name, program] as const))(
  '%s opens sockets in a namespace that it was given, and says why it cannot',
  async (_, program) => {
    const opener = new SocketOpener(program);
    const sandbox = await start();
    const directory = join(createRuntimeDirectory(state).sandboxes, sandbox.id);
    const namespaceFd = openNetworkNamespace(readRecordedProcess(directory)?.pid ?? 0);
    const place = { namespaceFd, address: '127.0.0.1', port: 4_000 } as const;
    await expect(opener.connect(place)).rejects.toHaveProperty('kind', 'closed_port');
    const server = await opener.listen(place);
    server.on('connection', (socket) => socket.end('heard'));
    await expect(opener.listen(place)).rejects.toHaveProperty('kind', 'taken_port');
    const heard = await Promise.all(
      Array.from({ length: 50 }, async () => {
        let text = '';
        for await (const data of await opener.connect(place)) text += String(data);
        return text;
      }),
    );
    expect(new Set(heard)).toEqual(new Set(['heard']));
    server.close();
    opener.close();
    // The next use starts it again; what is no namespace is not entered.
    const wrong = { ...place, namespaceFd: 0 };
    await expect(opener.connect(wrong)).rejects.toHaveProperty('kind', 'failed');
    opener.close();
    await sandbox.stop({ keepLayer: false });
    closeSync(namespaceFd);
  },
);
