import { beforeAll, describe, expect, it } from 'vitest';
import { allRoutes } from '../../packages/server/src/http/native/all-routes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;
let key: string;

beforeAll(async () => {
  test = await createTestApp(folder);
  key = (await test.issue({ namespace: 'team' })).text;
});

/** A new sandbox, with what was asked for. */
async function make(body: Record<string, unknown> = {}) {
  const { status, body: sandbox } = await test.api('POST', '/sandboxes', key, body);
  expect(status).toBe(200);
  return sandbox;
}

describe('a name that is a word of an address', () => {
  const words = new Set(
    allRoutes.flatMap(({ path }) => /^\/api\/v1\/sandboxes\/([^/{]+)/.exec(path)?.[1] ?? []),
  );

  it('is given to no sandbox, new, renamed or restored, whatever the routes are', async () => {
    expect(words).toContain('events');
    const { id } = await make({ name: 'other' });
    for (const name of words) {
      const refusal = {
        status: 400,
        body: { detail: expect.stringContaining(`cannot be "${name}"`) },
      };
      expect(await test.api('POST', '/sandboxes', key, { name })).toMatchObject(refusal);
      expect(await test.api('PATCH', `/sandboxes/${id}`, key, { name })).toMatchObject(refusal);
      const { status, body } = await test.api('POST', '/snapshots', key, { sandbox: id });
      expect(status).toBe(200);
      const restored = `/snapshots/${body.id}/restore`;
      expect(await test.api('POST', restored, key, { name })).toMatchObject(refusal);
    }
    const longer = await make({ name: 'events-1' });
    expect((await test.api('GET', `/sandboxes/${longer.name}`, key)).body.id).toBe(longer.id);
  });
});

describe('waiting', () => {
  it('ends at once in the state, and when the sandbox comes to it', async () => {
    const { id } = await make();
    const wait = (states: readonly string[]) =>
      test.api('POST', `/sandboxes/${id}/wait`, key, { states });
    expect((await wait(['ready'])).body).toMatchObject({ reached: true, sandbox: { id } });
    expect((await test.api('POST', `/sandboxes/${id}/wait`, key)).body.reached).toBe(true);
    const paused = wait(['paused', 'stopped']);
    await test.api('POST', `/sandboxes/${id}/pause`, key);
    expect((await paused).body).toMatchObject({ reached: true, sandbox: { state: 'paused' } });
  });

  it('ends at the time, and where the state cannot come any more, and says so', async () => {
    const { id } = await make();
    const wait = (states: readonly string[]) =>
      test.api('POST', `/sandboxes/${id}/wait`, key, { states, timeout_seconds: 0.5 });
    const inVain = wait(['paused']);
    await expect.poll(() => test.timers.delaysMs()).toContain(500);
    test.timers.pass();
    expect((await inVain).body).toMatchObject({ reached: false, sandbox: { state: 'ready' } });
    await test.api('DELETE', `/sandboxes/${id}`, key);
    expect((await wait(['ready'])).body).toMatchObject({
      reached: false,
      sandbox: { state: 'destroyed' },
    });
    const { body } = await test.api('POST', `/sandboxes/${id}/wait`, key, {
      states: ['asleep'],
      timeout_seconds: 301,
    });
    expect(body.detail).toMatch(/states\.0.*timeout_seconds/);
  });
});

describe('the network', () => {
  it('is switched while the sandbox runs, and tells what was refused', async () => {
    const { id } = await make();
    const path = `/sandboxes/${id}/egress`;
    expect((await test.api('GET', path, key)).body).toEqual({ mode: 'deny_all', denials: [] });
    const policy = { mode: 'restricted', allow: ['Example.com'] };
    expect((await test.api('PUT', path, key, policy)).body).toEqual({
      mode: 'restricted',
      allow: ['example.com'],
      live: true,
    });
    const running = test.engine.live.get(id);
    expect(running?.egress).toEqual({ mode: 'restricted', allow: ['example.com'] });
    const denial = { host: 'elsewhere.test', port: 443, reason: 'It is not allowed' };
    const at = { sandboxId: id, atMs: test.clock.currentMs };
    for (let port = 1; port <= 101; port += 1) {
      running?.observer.onEgressDenied?.({ ...denial, ...at, port });
    }
    await expect
      .poll(async () => (await test.api('GET', path, key)).body.denials)
      .toMatchObject([{ ...denial, port: 2 }, ...Array(98).fill({}), { ...denial, port: 101 }]);
    await test.api('POST', `/sandboxes/${id}/stop`, key);
    expect((await test.api('PUT', path, key, { mode: 'open' })).body).toEqual({
      mode: 'open',
      live: false,
    });
    const wrong = await test.api('PUT', path, key, { mode: 'open', allow: ['example.com'] });
    expect([wrong.status, wrong.headers.get('x-error-code')]).toEqual([400, 'egress_invalid']);
  });
});

describe('readings', () => {
  it('tell what a sandbox uses, and used', async () => {
    const { id } = await make();
    test.engine.onMetrics = async () => ({
      ...{ cpuPercent: 12.5, memoryBytes: 1_000, diskBytes: 42, processes: 2 },
      network: { receivedBytes: 7, sentBytes: 5 },
    });
    expect((await test.api('GET', `/sandboxes/${id}/metrics`, key)).body).toEqual({
      state: 'ready',
      running: true,
      metrics: {
        ...{ cpu_percent: 12.5, memory_bytes: 1_000, disk_bytes: 42, processes: 2 },
        network: { received_bytes: 7, sent_bytes: 5 },
      },
    });
    const stats = () => test.api('GET', `/sandboxes/${id}/stats?last=15m`, key);
    await stats();
    test.clock.currentMs += 10_000;
    expect((await stats()).body).toMatchObject({
      samples: [{ processes: 2 }, { cpu_percent: 12.5, network_bytes_per_second: 0 }],
      network_bytes: 12,
    });
    test.clock.currentMs += 900_001;
    expect((await stats()).body.samples).toHaveLength(1);
    await test.api('POST', `/sandboxes/${id}/stop`, key);
    expect((await test.api('GET', `/sandboxes/${id}/metrics`, key)).body).toEqual({
      state: 'stopped',
      running: false,
      metrics: null,
    });
    expect((await stats()).body).toEqual({ samples: [], network_bytes: null });
  });
});
