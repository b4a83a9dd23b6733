import { type ExecRequest, standardSandboxPolicy } from '@sandgate/core';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const outputBytes = 20;
let test: TestApp;
let key: string;
let box: string;

/** The program that was started last, which the test writes for and ends. */
let program: {
  readonly request: ExecRequest;
  readonly signals: string[];
  write(data: string | Buffer, stream?: 'stdout' | 'stderr'): void;
  exit(exitCode: number): void;
};

beforeAll(async () => {
  const processes = { ...standardSandboxPolicy.processes, outputBytes };
  test = await createTestApp(temporaryFolder(), { policy: { processes } });
  key = (await test.issue({ namespace: 'team' })).text;
  box = (await test.api('POST', '/sandboxes', key, { name: 'box' })).body.id;
  test.engine.onExec = (request) =>
    new Promise((resolve) => {
      const signals: string[] = [];
      program = {
        request,
        signals,
        write: (data, stream = 'stdout') =>
          void request.onOutput({ stream, data: Buffer.from(data) }),
        exit: (exitCode) => resolve({ kind: 'exited', exitCode }),
      };
      request.onStarted?.({ signal: (signal) => void signals.push(signal) });
    });
});

let id: string;
beforeEach(async () => {
  const body = { command: ['program', 'x'], cwd: '/tmp', stdin: true };
  const { body: started } = await test.api('POST', '/sandboxes/box/processes', key, body);
  expect(started).toMatchObject({
    sandbox_id: box,
    ...{ command: ['program', 'x'], cwd: '/tmp', state: 'running', stdin: 'open' },
  });
  id = started.id;
});

const at = (more = ''): string => `/sandboxes/box/processes/${id}${more}`;
const output = async (query = '') => (await test.api('GET', at(`/output${query}`), key)).body;

describe('the output of a background process', () => {
  it('is read from any byte, also counted from its end, and says when older output is gone', async () => {
    program.write('one ');
    program.write('two ', 'stderr');
    program.write('three');
    expect(await output()).toEqual({
      ...{ stdout: 'one three', stderr: 'two ', from_byte: 0, to_byte: 13, end_byte: 13 },
      ...{ cut: false, state: 'running', exit_code: null, failure: null },
    });
    expect(await output('?from_byte=4&max_bytes=4')).toMatchObject({
      ...{ stdout: '', stderr: 'two ', from_byte: 4, to_byte: 8, end_byte: 13, cut: false },
    });
    expect(await output('?from_byte=-5')).toMatchObject({ stdout: 'three', from_byte: 8 });
    expect(await output('?from_byte=13')).toMatchObject({ stdout: '', from_byte: 13, to_byte: 13 });
    program.write('x'.repeat(outputBytes));
    expect(await output('?from_byte=8')).toMatchObject({ from_byte: 13, to_byte: 33, cut: true });
  });

  it('ends with a whole character while more is to come', async () => {
    program.write(Buffer.from('gr\u00fcn').subarray(0, 3));
    expect(await output()).toMatchObject({ stdout: 'gr', to_byte: 2, end_byte: 3 });
    expect(await output('?encoding=base64')).toMatchObject({ stdout: 'Z3LD', to_byte: 3 });
    program.exit(0);
    expect((await test.api('POST', at('/wait'), key)).body.ended).toBe(true);
    expect(await output()).toMatchObject({ stdout: 'gr\ufffd', to_byte: 3, state: 'exited' });
  });

  it('is followed as it is written, and gone on with where a reader was cut off', async () => {
    const follow = (headers = {}) =>
      test.app.request(`/api/v1${at('/output')}`, {
        headers: { 'x-api-key': key, accept: 'text/event-stream', ...headers },
      });
    program.write('first');
    const [all, later] = [await follow(), await follow({ 'last-event-id': '5' })];
    const reader = all.body?.getReader();
    const first = Buffer.from((await reader?.read())?.value ?? []).toString();
    expect(first).toBe('id: 5\nevent: stdout\ndata: {"text":"first"}\n\n');
    reader?.releaseLock();
    program.write(Buffer.from('\u00fc').subarray(0, 1));
    program.write('beside', 'stderr');
    program.write(Buffer.from('\u00fc').subarray(1));
    program.exit(3);
    const rest =
      'event: stderr\ndata: {"text":"beside"}\n\n' +
      'id: 13\nevent: stdout\ndata: {"text":"\\u00fc"}\n\n' +
      'id: 13\nevent: exit\ndata: {"exit_code":3,"failure":null,"state":"exited"}\n\n';
    const pieces: Uint8Array[] = [];
    for await (const piece of all.body ?? []) pieces.push(piece);
    expect(Buffer.concat(pieces).toString()).toBe(rest);
    expect(await later.text()).toBe(rest);
    const late = await follow({ 'last-event-id': '13' });
    expect(await late.text()).toMatch(/^id: 13\nevent: exit\n/);
  });

  it('tells who follows what was dropped', async () => {
    program.write('x'.repeat(outputBytes + 5));
    program.exit(0);
    const response = await test.app.request(`/api/v1${at('/output')}`, {
      headers: { 'x-api-key': key, accept: 'text/event-stream' },
    });
    expect(await response.text()).toMatch(
      /^event: cut\ndata: {"from_byte":0,"to_byte":5}\n\nid: 25\nevent: stdout/,
    );
  });
});

describe('a background process', () => {
  it('takes input until it is closed, and no more than waits for it', async () => {
    const read = (async () => {
      const pieces: Buffer[] = [];
      const { stdin } = program.request;
      if (stdin === undefined || stdin instanceof Uint8Array) throw new Error('It has no stdin.');
      for await (const piece of stdin) pieces.push(Buffer.from(piece));
      return Buffer.concat(pieces).toString();
    })();
    const send = (body: object) => test.api('POST', at('/input'), key, body);
    expect((await send({ data: 'typed ' })).body.stdin).toBe('open');
    expect((await send({ data: '/w==', data_encoding: 'base64', end: true })).status).toBe(200);
    expect(await read).toBe('typed \ufffd');
    const closed = await send({ data: 'more' });
    expect([closed.status, closed.body.detail]).toEqual([
      400,
      'The standard input of this process is closed',
    ]);
  });

  it('that does not read is not sent ever more', async () => {
    const abandon = new AbortController();
    const send = (data: string, signal: AbortSignal | null = null) =>
      test.app.request(`/api/v1${at('/input')}`, {
        method: 'POST',
        headers: { 'x-api-key': key, 'content-type': 'application/json' },
        body: JSON.stringify({ data }),
        signal,
      });
    const waiting = Array.from({ length: 5 }, () => send('x'.repeat(1_900_000), abandon.signal));
    const refused = await Promise.race(waiting);
    expect([refused.status, refused.headers.get('x-error-code')]).toEqual([
      503,
      'capacity_exceeded',
    ]);
    abandon.abort();
    const statuses = (await Promise.all(waiting)).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([499, 499, 499, 499, 503]);
  });

  it('is signalled, listed, waited for, and forgotten with its end', async () => {
    await test.api('POST', at('/signal'), key, { signal: 'SIGUSR1' });
    expect(program.signals).toEqual(['SIGUSR1']);
    const bad = await test.api('POST', at('/signal'), key, { signal: 'SIGNONE' });
    expect(bad.status).toBe(400);
    const listed = (await test.api('GET', '/sandboxes/box/processes', key)).body.processes;
    expect(listed.at(-1)).toMatchObject({ id, state: 'running' });
    const inVain = test.api('POST', at('/wait'), key, { timeout_seconds: 1.5 });
    await expect.poll(() => test.timers.delaysMs()).toContain(1_500);
    test.timers.pass();
    expect((await inVain).body).toMatchObject({ ended: false, process: { id } });
    expect((await test.api('DELETE', at(), key)).status).toBe(204);
    expect(program.signals).toEqual(['SIGUSR1', 'SIGKILL']);
    for (const path of [at(), at('/output')]) {
      const { status, headers } = await test.api('GET', path, key);
      expect([status, headers.get('x-error-code')]).toEqual([404, 'process_not_found']);
    }
  });

  it('is lost with its sandbox', async () => {
    const waiting = test.api('POST', at('/wait'), key);
    await test.api('POST', '/sandboxes/box/stop', key);
    expect((await waiting).body.process).toMatchObject({ state: 'lost', exit_code: null });
  });
});
