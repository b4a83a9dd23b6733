import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SandgateError } from '@sandgate/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { controlClient } from './control-client.ts';
import {
  type ControlHandlers,
  type ControlSocket,
  controlSocketPath,
  openControlSocket,
} from './control-socket.ts';
import type { ServerRecord } from './server-record.ts';
import type { ServerStatus } from './server-status.ts';

const status: ServerStatus = {
  pid: 1,
  address: 'http://127.0.0.1:5555',
  version: '0.1.0',
  startedAtMs: 1_700_000_000_000,
  authentication: 'required',
  keys: 2,
  sandboxes: { total: 3, running: 1 },
  engine: { name: 'bubblewrap', usable: true, remarks: [] },
};

const record: ServerRecord = {
  pid: 1,
  startTicks: '1',
  bootId: 'boot',
  startedAtMs: 1_700_000_000_000,
  address: 'http://127.0.0.1:5555',
  version: '0.1.0',
};

let home: string;
let socket: ControlSocket | undefined;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sandgate-control-'));
});
afterEach(async () => {
  await socket?.close();
  socket = undefined;
  await rm(home, { recursive: true });
});

const open = async (handlers: Partial<ControlHandlers> = {}) => {
  socket = await openControlSocket(home, {
    record: () => record,
    status: async () => status,
    resetServerKey: async () => ({ revokedKeys: 0 }),
    removeSandbox: async () => {},
    stop: () => {},
    ...handlers,
  });
};

describe('control socket', () => {
  it('answers what was asked', async () => {
    let stopped: () => void = () => {};
    const stopping = new Promise<void>((resolve) => {
      stopped = resolve;
    });
    await open({ resetServerKey: async () => ({ revokedKeys: 7 }), stop: () => stopped() });
    expect(await controlClient.status(home)).toEqual(status);
    expect(await controlClient.record(home)).toEqual(record);
    expect(await controlClient.resetServerKey(home)).toEqual({ revokedKeys: 7 });
    expect(await controlClient.stop(home)).toBe(true);
    await stopping;
  });

  it('passes on which sandbox is to be removed, and nothing that is none', async () => {
    const removed: unknown[] = [];
    await open({ removeSandbox: async (reference) => void removed.push(reference) });
    expect(await controlClient.removeSandbox(home, { namespace: 'n', name: 'box' })).toBe(true);
    expect(removed).toEqual([{ namespace: 'n', name: 'box' }]);
    const long = { namespace: 'n', name: 'x'.repeat(5_000) };
    await expect(controlClient.removeSandbox(home, long)).rejects.toMatchObject({
      code: 'payload_too_large',
    });
  });

  it('answers null where no server listens', async () => {
    expect(await controlClient.status(home)).toBeNull();
    await open();
    await socket?.close();
    expect(await controlClient.status(home)).toBeNull();
  });

  it('can be opened by its owner alone, and over a leftover', async () => {
    await writeFile(join(home, 'server.sock'), '');
    await open();
    expect((await stat(join(home, 'server.sock'))).mode & 0o777).toBe(0o600);
    expect(await controlClient.status(home)).toEqual(status);
  });

  it('passes on why the server refused, and nothing of why it failed', async () => {
    await open({
      resetServerKey: async () => {
        throw new SandgateError('config_invalid', 'The key comes from a file.');
      },
      status: async () => {
        throw new Error('secret detail');
      },
    });
    await expect(controlClient.resetServerKey(home)).rejects.toMatchObject({
      code: 'config_invalid',
      message: 'The key comes from a file.',
    });
    await expect(controlClient.status(home)).rejects.toMatchObject({
      code: 'internal',
      message: 'The server failed. Its log says why.',
    });
  });

  it.each([
    ['POST', '/status'],
    ['GET', '/stop'],
    ['GET', '/reset-key'],
    ['GET', '/'],
  ])('knows no %s %s', async (method, path) => {
    await open();
    const statusCode = await new Promise((resolve, reject) => {
      request({ socketPath: controlSocketPath(home), method, path }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .once('error', reject)
        .end();
    });
    expect(statusCode).toBe(404);
  });

  it('refuses a path that the kernel would cut', () => {
    const longest = `/${'h'.repeat(107 - '//server.sock'.length)}`;
    expect(Buffer.byteLength(controlSocketPath(longest))).toBe(107);
    expect(() => controlSocketPath(`${longest}x`)).toThrow('too long');
    expect(() => controlSocketPath(`/${'ü'.repeat(50)}`)).toThrow('--path or SANDGATE_HOME');
  });
});
