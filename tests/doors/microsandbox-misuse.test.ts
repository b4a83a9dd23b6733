import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;
let key: string;

beforeEach(async () => {
  test = await createTestApp(folder);
  key = (await test.issue()).text;
});

const call = (method: string, params: unknown) => test.call(method, params, key);
const start = (sandbox: string, config?: unknown) => call('sandbox.start', { sandbox, config });

/** Sends calls as a client that can go away. */
const postUntil = (signal: AbortSignal, body: unknown) =>
  test.app.request('/api/v1/rpc', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify(body),
    signal,
  });

describe('depends_on', () => {
  it('names a sandbox a hundred thousand times, and starts it once', async () => {
    await start('a');
    await start('b', { depends_on: Array(100_000).fill('a') });
    await call('sandbox.stop', { sandbox: 'a' });
    await call('sandbox.stop', { sandbox: 'b' });
    await start('c', { depends_on: Array(100_000).fill('b') });
    expect(test.engine.started.slice(-3).map(({ hostname }) => hostname)).toEqual(['a', 'b', 'c']);
  });

  it('is refused when it names too many', async () => {
    const names = Array.from({ length: 33 }, (_, index) => `s${index}`);
    expect(await start('a', { depends_on: names })).toMatchObject({
      status: 400,
      body: { error: 'depends_on names 33 sandboxes, and 32 are the most' },
    });
  });
});

describe('a client that goes away', () => {
  it('gets no more of its batch carried out', async () => {
    const client = new AbortController();
    const calls = ['a', 'b', 'c'].map((sandbox, id) => ({
      ...{ jsonrpc: '2.0', id, method: 'sandbox.start', params: { sandbox } },
    }));
    test.engine.onStart = () => client.abort();
    await postUntil(client.signal, calls);
    expect(test.engine.started.map(({ hostname }) => hostname)).toEqual(['a']);
  });

  it('gets no more of what a sandbox depends on started', async () => {
    await start('a');
    await start('b', { depends_on: ['a'] });
    await call('sandbox.stop', { sandbox: 'a' });
    await call('sandbox.stop', { sandbox: 'b' });
    const client = new AbortController();
    test.engine.onStart = () => client.abort();
    const params = { sandbox: 'b' };
    await postUntil(client.signal, { jsonrpc: '2.0', id: 1, method: 'sandbox.start', params });
    expect(test.engine.started.slice(2).map(({ hostname }) => hostname)).toEqual(['a']);
    const [row] = (await test.storage.usage.list({}, { limit: 1 })).rows;
    expect(row).toMatchObject({ status: 499, errorCode: 'request_abandoned' });
  });
});

describe('a sandbox that does not answer', () => {
  it('keeps nobody waiting for the metrics of the others', async () => {
    await start('fine');
    await start('stuck');
    const stuck = test.engine.started.at(-1)?.id;
    const { onMetrics } = test.engine;
    let asked = 0;
    let allAsked: () => void = () => undefined;
    const bothAsked = new Promise<void>((resolve) => {
      allAsked = resolve;
    });
    test.engine.onMetrics = (id) => {
      asked += 1;
      if (asked === 2) allAsked();
      return id === stuck ? new Promise(() => undefined) : onMetrics(id);
    };
    const answering = call('sandbox.metrics.get', { namespace: '*' });
    await bothAsked;
    await new Promise((resolve) => setImmediate(resolve));
    test.timers.pass();
    const { sandboxes } = (await answering).body.result;
    expect(sandboxes).toMatchObject([
      { name: 'fine', running: true, cpu_usage: 1.5 },
      { name: 'stuck', running: true, cpu_usage: null, memory_usage: null },
    ]);
  });
});

describe('a request that is wrong in very many places', () => {
  it('is answered with the first ten', async () => {
    const fields = Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`f${at}`, 1]));
    const { status, text } = await call('sandbox.stop', { sandbox: 'a', ...fields });
    expect(status).toBe(400);
    expect(text).toContain('unknown field `f9`; and 99990 more');
    expect(text.length).toBeLessThan(1_000);
  });

  it('does not get its own long names back', async () => {
    const { text } = await call('sandbox.stop', { sandbox: 'a', ['x'.repeat(1_000_000)]: 1 });
    expect(text.length).toBeLessThan(1_000);
  });
});

describe('output', () => {
  const run = { jsonrpc: '2.0', method: 'sandbox.command.run' };
  const command = { sandbox: 'a', command: 'yes' };

  it('of a whole batch is bounded, and the calls behind it are refused and not run', async () => {
    await start('a');
    const data = Buffer.alloc(4_000_000, 'x\n');
    test.engine.onExec = async ({ onOutput }) => {
      await onOutput({ stream: 'stdout', data });
      return { kind: 'exited', exitCode: 0 };
    };
    const calls = Array.from({ length: 100 }, (_, id) => ({ ...run, id, params: command }));
    const { status, text, body } = await test.post(calls, key);
    expect(status).toBe(200);
    expect(text.length).toBeLessThan(40_000_000);
    expect(test.engine.executed.length).toBeLessThan(4);
    expect(body[1].result.output.at(-1).text).toContain('hold as much output as they may');
    expect(body.at(-1).error.data.code).toBe('capacity_exceeded');
    const again = await call('sandbox.command.run', command);
    expect(again.body.result.output).toHaveLength(200_001);
  });

  it('of all answers together is bounded until they have left', async () => {
    await start('a');
    test.engine.onExec = async ({ onOutput }) => {
      await onOutput({ stream: 'stdout', data: Buffer.alloc(4 * 1024 * 1024, 'x') });
      return { kind: 'exited', exitCode: 0 };
    };
    const signal = new AbortController().signal;
    const unread = await Promise.all(
      Array.from({ length: 33 }, () => postUntil(signal, { ...run, id: 1, params: command })),
    );
    const ask = async () => (await call('sandbox.command.run', command)).body.result.output;
    expect((await ask()).at(-1).text).toContain('hold as much output as they may');
    for (const response of unread) await response.body?.cancel();
    expect(await ask()).toHaveLength(1);
  });
});

describe('calls at once', () => {
  it('are so many for a key, and others are refused until one ends', async () => {
    await start('a');
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    let begun = 0;
    let allBegun: () => void = () => undefined;
    const full = new Promise<void>((resolve) => {
      allBegun = resolve;
    });
    test.engine.onExec = async () => {
      begun += 1;
      if (begun === 512) allBegun();
      await ended;
      return { kind: 'exited', exitCode: 0 };
    };
    const runAgain = (by: string) =>
      test.call('sandbox.command.run', { sandbox: 'a', command: 'x' }, by);
    const calls = Array.from({ length: 512 }, () => runAgain(key));
    await full;
    expect((await runAgain(key)).body.error.data.code).toBe('capacity_exceeded');
    const other = runAgain((await test.issue()).text);
    end();
    for (const { body } of await Promise.all([...calls, other])) {
      expect(body.result.exit_code).toBe(0);
    }
    expect((await runAgain(key)).body.result.exit_code).toBe(0);
  });
});
