import { type ExecRequest, SandgateError } from '@sandgate/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { settle } from '../support/manual-time.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestSandboxes, type TestSandboxes } from '../support/test-sandboxes.ts';

const folder = temporaryFolder();
let test: TestSandboxes;
/** The programs that were started, which the test writes for and ends. */
let programs: {
  readonly request: ExecRequest;
  readonly signals: string[];
  write(text: string, stream?: 'stdout' | 'stderr'): void;
  exit(exitCode: number): void;
}[];

beforeEach(async () => {
  test = await createTestSandboxes(folder, {
    processes: { outputBytes: 10, perSandbox: 2, keptMs: 60_000 },
  });
  programs = [];
  test.engine.onExec = (request) =>
    new Promise((resolve) => {
      const signals: string[] = [];
      programs.push({
        request,
        signals,
        write: (text, stream = 'stdout') =>
          void request.onOutput({ stream, data: Buffer.from(text) }),
        exit: (exitCode) => resolve({ kind: 'exited', exitCode }),
      });
      request.onStarted?.({ signal: (signal) => void signals.push(signal) });
    });
  await test.sandboxes.create(test.workspace, { name: 'box' });
});

const start = (command: Parameters<typeof test.sandboxes.startProcess>[2]) =>
  test.sandboxes.startProcess(test.workspace, 'box', command);
const sleep = { command: { argv: ['sleep', '9'] } } as const;
const read = async (id: string, request = {}): Promise<string> => {
  const pieces: string[] = [];
  for await (const { stream, fromByte, data } of test.sandboxes.processOutput(
    test.workspace,
    'box',
    id,
    request,
  )) {
    pieces.push(`${stream}@${fromByte}:${data}`);
  }
  return pieces.join(' ');
};

describe('a background process', () => {
  it('is started, looked at, signalled and waited for', async () => {
    const { sandboxes, workspace, time } = test;
    const { signal } = new AbortController();
    const events = sandboxes.events(workspace, { signal })[Symbol.asyncIterator]();
    const process = await start({
      command: { line: 'sleep 9' },
      cwd: '/tmp',
      environment: { A: '1' },
    });
    expect(programs[0]?.request).toMatchObject({
      argv: ['/bin/sh', '-c', 'sleep 9'],
      cwd: '/tmp',
      environment: { A: '1' },
    });
    expect(process).toMatchObject({ end: null, endedAtMs: null, stdin: 'closed' });
    expect(await sandboxes.listProcesses(workspace, 'box')).toEqual([process]);
    await sandboxes.signalProcess(workspace, 'box', process.id, 'SIGINT');
    expect(programs[0]?.signals).toEqual(['SIGINT']);
    const early = sandboxes.waitForProcess(workspace, 'box', process.id, { timeoutMs: 1_000 });
    await time.advance(1_000);
    expect((await early).endedAtMs).toBeNull();
    const ended = sandboxes.waitForProcess(workspace, 'box', process.id, { timeoutMs: 60_000 });
    await settle();
    programs[0]?.exit(130);
    expect(await ended).toMatchObject({
      end: { kind: 'exited', exitCode: 130 },
      endedAtMs: time.nowMs(),
    });
    expect((await events.next()).value).toMatchObject({
      kind: 'process.ended',
      processId: process.id,
      exitCode: 130,
    });
    await sandboxes.signalProcess(workspace, 'box', process.id, 'SIGKILL');
    expect(programs[0]?.signals).toEqual(['SIGINT']);
    await time.advance(60_000);
    await expect(sandboxes.findProcess(workspace, 'box', process.id)).rejects.toMatchObject({
      code: 'process_not_found',
    });
  });

  it('keeps the newest output, and tells where it begins', async () => {
    const { id } = await start(sleep);
    programs[0]?.write('12345');
    programs[0]?.write('abc', 'stderr');
    expect(await read(id)).toBe('stdout@0:12345 stderr@5:abc');
    expect(await read(id, { fromByte: 3 })).toBe('stdout@3:45 stderr@5:abc');
    programs[0]?.write('6789');
    expect(await read(id)).toBe('stdout@2:345 stderr@5:abc stdout@8:6789');
    programs[0]?.write('0'.repeat(25));
    expect(await read(id)).toBe(`stdout@27:${'0'.repeat(10)}`);
    const process = await test.sandboxes.findProcess(test.workspace, 'box', id);
    expect(process).toMatchObject({ outputFromByte: 27, outputToByte: 37 });
  });

  it('is read by several at once as it writes, from wherever each of them was', async () => {
    const { id } = await start(sleep);
    programs[0]?.write('one');
    const first = read(id, { follow: true });
    const second = read(id, { follow: true, fromByte: 2 });
    const client = new AbortController();
    const third = read(id, { follow: true, signal: client.signal });
    await settle();
    client.abort();
    programs[0]?.write('two');
    await settle();
    programs[0]?.exit(0);
    expect(await first).toBe('stdout@0:one stdout@3:two');
    expect(await second).toBe('stdout@2:e stdout@3:two');
    expect(await third).toBe('stdout@0:one');
    expect(await read(id, { follow: true })).toBe('stdout@0:onetwo');
  });

  it('says that it is gone to whoever still writes to it', async () => {
    const { sandboxes, workspace } = test;
    const { id } = await start({ ...sleep, stdin: true });
    const source = programs[0]?.request.stdin as AsyncIterable<Uint8Array>;
    const written = sandboxes.writeProcessInput(workspace, 'box', id, Buffer.from('a'));
    // As an engine does whose pipe is full: it has the piece, and never asks for another.
    await source[Symbol.asyncIterator]().next();
    programs[0]?.exit(0);
    await expect(written).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it('takes standard input in pieces until it is closed', async () => {
    const { sandboxes, workspace } = test;
    const { id, stdin } = await start({ ...sleep, stdin: true });
    expect(stdin).toBe('open');
    const received: string[] = [];
    const source = programs[0]?.request.stdin as AsyncIterable<Uint8Array>;
    const reading = (async () => {
      for await (const piece of source) received.push(String(piece));
    })();
    const write = (text: string, end = false) =>
      sandboxes.writeProcessInput(workspace, 'box', id, Buffer.from(text), { end });
    await Promise.all([write('a'), write('b')]);
    await write('c', true);
    await reading;
    expect(received).toEqual(['a', 'b', 'c']);
    await expect(write('d')).rejects.toMatchObject({ code: 'invalid_request' });
    const closed = await start(sleep);
    await expect(
      sandboxes.writeProcessInput(workspace, 'box', closed.id, Buffer.from('x')),
    ).rejects.toThrow('has no standard input');
  });

  it('does not leave a write hanging when it ends without reading', async () => {
    const { sandboxes, workspace } = test;
    const { id } = await start({ ...sleep, stdin: true });
    const refused = expect(
      sandboxes.writeProcessInput(workspace, 'box', id, Buffer.from('x')),
    ).rejects.toMatchObject({ code: 'invalid_request' });
    await settle();
    programs[0]?.exit(0);
    await refused;
  });

  it('is lost with its sandbox, and is one of so many', async () => {
    const { sandboxes, workspace } = test;
    const { id } = await start(sleep);
    await start(sleep);
    await expect(start(sleep)).rejects.toMatchObject({
      code: 'quota_exceeded',
      data: { resource: 'processes', allowed: 2 },
    });
    const waiting = sandboxes.waitForProcess(workspace, 'box', id, { timeoutMs: 60_000 });
    await settle();
    await sandboxes.stop(workspace, 'box');
    expect((await waiting).end).toEqual({ kind: 'lost' });
    await sandboxes.start(workspace, 'box', null);
    await expect(start(sleep)).resolves.toMatchObject({ end: null });
  });

  it('leaves nothing when it cannot be started', async () => {
    const refused = new SandgateError('command_not_found', 'There is no program "nope"');
    test.engine.onExec = () => Promise.reject(refused);
    await expect(start({ command: { argv: ['nope'] } })).rejects.toBe(refused);
    expect(await test.sandboxes.listProcesses(test.workspace, 'box')).toEqual([]);
    await expect(start({ command: { argv: [] } })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    await expect(start({ command: { line: '' } })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });
});
