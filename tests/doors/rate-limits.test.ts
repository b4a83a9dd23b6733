import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;
let key: string;
let number: number;

beforeEach(async () => {
  test = await createTestApp(folder);
  const issued = await test.issue();
  key = issued.text;
  number = issued.key.number;
  test.limits.current = { minute: 5, hour: 8, day: 10, quota24h: null };
});

const ask = (text = key) => test.call('sandbox.metrics.get', {}, text);
const usageRows = async () =>
  (await test.storage.usage.list({ keyNumber: number }, { limit: 100 })).rows;

describe('the limits of a key', () => {
  it('accept exactly as many calls as they say, of any number at once', async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, () => ask()));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200).length).toBe(5);
    expect(statuses.filter((status) => status === 429).length).toBe(195);
  });

  it('say when to come back, and keep their word to the millisecond', async () => {
    for (let index = 0; index < 5; index += 1) await ask();
    test.clock.currentMs += 12_345;
    const refused = await ask();
    expect(refused).toMatchObject({
      status: 429,
      body: {
        error: 'Rate limit exceeded for minute. Try again in 48 seconds',
        code: 3005,
      },
    });
    expect(refused.headers.get('retry-after')).toBe('48');
    test.clock.currentMs += 60_000 - 12_345 - 1;
    expect((await ask()).status).toBe(429);
    test.clock.currentMs += 1;
    expect((await ask()).status).toBe(200);
  });

  it('are told on every answer, also on errors and refusals', async () => {
    const first = await ask();
    expect(first.headers.get('x-ratelimit-minute-remaining')).toBe('4');
    expect(first.headers.get('ratelimit-policy')).toBe(
      '"minute";q=5;w=60, "hour";q=8;w=3600, "day";q=10;w=86400',
    );
    const failed = await test.call('sandbox.stop', { sandbox: 'none' }, key);
    expect(failed.headers.get('x-ratelimit-minute-remaining')).toBe('3');
    for (let index = 0; index < 4; index += 1) await ask();
    const refused = await ask();
    expect(refused.headers.get('x-ratelimit-remaining')).toBe('0');
  });

  it('are not charged by what is refused before them, nor by a refusal of theirs', async () => {
    const { text } = await test.issue({ namespace: 'team-alpha' });
    for (let index = 0; index < 20; index += 1) {
      await test.call('sandbox.metrics.get', { namespace: 'other' }, text);
    }
    const answer = await test.call('sandbox.metrics.get', {}, text);
    expect(answer.headers.get('x-ratelimit-minute-remaining')).toBe('4');
  });

  it('count each call of a batch', async () => {
    const call = { jsonrpc: '2.0', method: 'sandbox.metrics.get' };
    const { body } = await test.post(
      Array.from({ length: 8 }, (_, id) => ({ ...call, id })),
      key,
    );
    expect(body.map((each: object) => 'result' in each)).toEqual([
      ...Array(5).fill(true),
      ...Array(3).fill(false),
    ]);
    expect(body[7].error).toMatchObject({ code: -32012, data: { window: 'minute' } });
  });

  it('look at every window before any is charged', async () => {
    for (let index = 0; index < 5; index += 1) await ask();
    test.clock.currentMs += 60_000;
    for (let index = 0; index < 3; index += 1) await ask();
    const refused = await ask();
    expect(refused.body.error).toContain('Rate limit exceeded for hour');
    expect(refused.headers.get('x-ratelimit-minute-remaining')).toBe('2');
  });

  it('are a matter of the key alone, whatever its text: a rotation resets nothing', async () => {
    for (let index = 0; index < 5; index += 1) await ask();
    const { text } = await test.rotate(String(number));
    expect((await ask(text)).status).toBe(429);
    const { text: other } = await test.issue();
    expect((await ask(other)).status).toBe(200);
  });

  it('are recorded as they were charged, so that a restart after a clock is set back grants nothing', async () => {
    const startMs = test.clock.currentMs;
    for (let index = 0; index < 4; index += 1) await ask();
    test.clock.currentMs -= 30_000;
    await ask();
    expect((await usageRows()).map(({ atMs }) => atMs)).toEqual(Array(5).fill(startMs));
  });
});

describe('usage', () => {
  it('has one row for every call of a known key, accepted or refused, with its endpoint', async () => {
    await ask();
    await test.call('sandbox.start', { sandbox: 'a' }, key);
    await test.call('sandbox.stop', { sandbox: 'none' }, key);
    for (let index = 0; index < 3; index += 1) await ask();
    await ask('msb_nonsense');
    const rows = await usageRows();
    expect(
      rows.map(({ endpoint, status, accepted, errorCode }) => [
        endpoint,
        status,
        accepted,
        errorCode,
      ]),
    ).toEqual([
      ['/api/v1/rpc#sandbox.metrics.get', 429, false, 'rate_limited'],
      ['/api/v1/rpc#sandbox.metrics.get', 200, true, null],
      ['/api/v1/rpc#sandbox.metrics.get', 200, true, null],
      ['/api/v1/rpc#sandbox.stop', 200, true, 'sandbox_not_found'],
      ['/api/v1/rpc#sandbox.start', 200, true, null],
      ['/api/v1/rpc#sandbox.metrics.get', 200, true, null],
    ]);
    expect(rows[4]?.sandboxId).toMatch(/^[0-9a-f]{24}$/);
  });

  it('is written before a change begins, and shows how it ended', async () => {
    let during: readonly unknown[] = [];
    test.engine.onExec = async () => {
      during = await usageRows();
      return { kind: 'exited', exitCode: 0 };
    };
    await test.call('sandbox.start', { sandbox: 'a' }, key);
    await test.call('sandbox.command.run', { sandbox: 'a', command: 'x' }, key);
    expect(during[0]).toMatchObject({ status: 0, accepted: true });
    expect((await usageRows())[0]).toMatchObject({ status: 200, accepted: true });
  });
});

describe('refused credentials', () => {
  it('have a budget for each address, which no good key ever feels', async () => {
    test.limits.current = { minute: null, hour: null, day: null, quota24h: null };
    for (let index = 0; index < 60; index += 1) {
      expect((await ask('msb_nonsense')).status).toBe(401);
    }
    const refused = await ask('msb_nonsense');
    expect([refused.status, refused.body.code]).toEqual([429, 3005]);
    expect(refused.headers.get('retry-after')).toBe('60');
    expect((await ask()).status).toBe(200);
    test.clock.currentMs += 60_000;
    expect((await ask('msb_nonsense')).status).toBe(401);
  });
});
