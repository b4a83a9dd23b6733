import { revokeKey, type SandboxEvent } from '@sandgate/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { settle } from '../support/manual-time.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;
let key: string;

beforeAll(async () => {
  test = await createTestApp(folder, { policy: { maxSandboxes: 2_000 } });
  key = (await test.issue({ namespace: 'team' })).text;
});

const make = async (namespace = 'team'): Promise<string> => {
  const { text } = namespace === 'team' ? { text: key } : await test.issue({ namespace });
  return (await test.api('POST', '/sandboxes', text, {})).body.id;
};
const read = async (path: string, text = key) => (await test.api('GET', path, text)).body;
const statesOf = (events: readonly SandboxEvent[]) =>
  events.flatMap((event) => (event.kind === 'sandbox.state' ? [event.state] : []));

/** The pieces of a stream of events, of which the first says that it has begun. */
async function open(path: string, text = key, headers: Record<string, string> = {}) {
  const response = await test.app.request(`/api/v1${path}`, {
    headers: { 'x-api-key': text, accept: 'text/event-stream', ...headers },
  });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const next = async (): Promise<string | null> => {
    const { done, value } = await reader.read();
    return done ? null : Buffer.from(value).toString();
  };
  const begin = /^id: (\d+)\nevent: begin\n/.exec((await next()) ?? '');
  expect(begin).not.toBeNull();
  return { next, id: begin?.[1] ?? '', close: () => reader.cancel() };
}

describe('events as JSON', () => {
  it('tell what has happened to all sandboxes, or one, from any place on', async () => {
    const first = await make();
    const { events, next_after: after } = await read('/sandboxes/events');
    expect(events).toMatchObject([
      { kind: 'sandbox.state', sandbox_id: first, state: 'starting', previous: null },
      { kind: 'sandbox.state', sandbox_id: first, state: 'ready', previous: 'starting' },
    ]);
    expect(await read(`/sandboxes/events?after=${after}`)).toEqual({
      events: [],
      next_after: after,
    });
    const second = await make();
    await test.api('PATCH', `/sandboxes/${first}`, key, { labels: { a: 'b' } });
    await make('others');
    const since = await read(`/sandboxes/events?after=${after}`);
    expect(since.events.map((event: { sandbox_id: string }) => event.sandbox_id)).toEqual([
      second,
      second,
      first,
    ]);
    expect(since.events.at(-1)).toMatchObject({ kind: 'sandbox.changed', changed: ['labels'] });
    const part = await read(`/sandboxes/events?after=${after}&limit=2`);
    expect(part).toEqual({ events: since.events.slice(0, 2), next_after: since.events[1].id });
    const ofSecond = await read(`/sandboxes/${second}/events`);
    expect(statesOf(ofSecond.events)).toEqual(['starting', 'ready']);
    await test.api('DELETE', `/sandboxes/${second}`, key);
    expect(statesOf((await read(`/sandboxes/${second}/events`)).events)).toEqual([
      ...['starting', 'ready', 'stopping', 'stopped', 'destroyed'],
    ]);
  });

  it('say when some are not kept any more', async () => {
    const { text } = await test.issue({ namespace: 'busy' });
    const { id } = (await test.api('POST', '/sandboxes', text, {})).body;
    const [oldest] = (await read('/sandboxes/events', text)).events;
    const running = test.engine.live.get(id);
    for (let port = 1; port <= 1_000; port += 1) {
      const denial = { sandboxId: id, atMs: test.clock.currentMs, host: 'x.test', port };
      running?.observer.onEgressDenied?.({ ...denial, reason: 'It is not allowed' });
    }
    await expect
      .poll(async () => (await read(`/sandboxes/events?after=${oldest.id}`, text)).events)
      .toMatchObject({ 0: { kind: 'events.missed' }, 1: { kind: 'egress.denied', port: 1 } });
    const all = (await read('/sandboxes/events?limit=1000', text)).events;
    expect([all.length, all[0].kind, all[999].port]).toEqual([1_000, 'egress.denied', 1_000]);
  });

  it('tell of snapshots and volumes to keys that may read those', async () => {
    const id = await make();
    const { next_after: after } = await read('/sandboxes/events');
    await test.api('POST', '/snapshots', key, { sandbox: id, name: 'told' });
    await test.api('POST', '/volumes', key, { name: 'told', size_mib: 1 });
    const kinds = async (text: string): Promise<readonly string[]> =>
      (await read(`/sandboxes/events?after=${after}`, text)).events.map(
        ({ kind, state }: { kind: string; state: string }) => `${kind} ${state}`,
      );
    const snapshots = ['snapshot.state creating', 'snapshot.state ready'];
    const volumes = ['volume.state creating', 'volume.state ready'];
    expect(await kinds(key)).toEqual([...snapshots, ...volumes]);
    const keyWith = async (scope: 'snapshot:read' | 'volume:read') =>
      (await test.issue({ namespace: 'team', scopes: ['sandbox:read', scope] })).text;
    expect(await kinds(await keyWith('snapshot:read'))).toEqual(snapshots);
    expect(await kinds(await keyWith('volume:read'))).toEqual(volumes);
  });
});

describe('events as a stream', () => {
  it('come as they happen, and a client that comes back misses none', async () => {
    const id = await make();
    const first = await open('/sandboxes/events');
    await test.api('POST', `/sandboxes/${id}/pause`, key);
    expect(await first.next()).toMatch(/^id: \d+\nevent: sandbox\.state\ndata: .*"pausing"/);
    const paused = await first.next();
    expect(paused).toContain('"state":"paused"');
    await first.close();
    const lastId = /^id: (\d+)/.exec(paused ?? '')?.[1] ?? '';
    await test.api('POST', `/sandboxes/${id}/resume`, key);
    const again = await open(`/sandboxes/${id}/events`, key, { 'last-event-id': lastId });
    expect(again.id).toBe(lastId);
    expect(await again.next()).toContain('"state":"resuming"');
    await again.close();
    const wrong = await test.api('GET', '/sandboxes/events', key, undefined, {
      ...{ accept: 'text/event-stream', 'last-event-id': 'yesterday' },
    });
    expect(wrong.status).toBe(400);
  });

  it('of one sandbox are of no other, and end with it', async () => {
    const id = await make();
    const stream = await open(`/sandboxes/${id}/events`);
    await make();
    await test.api('DELETE', `/sandboxes/${id}`, key);
    for (const state of ['stopping', 'stopped', 'destroyed']) {
      const event = await stream.next();
      expect(event).toContain(`"sandbox_id":"${id}"`);
      expect(event).toContain(`"state":"${state}"`);
    }
    expect(await stream.next()).toBeNull();
    const over = await open(`/sandboxes/${id}/events?after=${stream.id}`);
    for (const state of ['stopping', 'stopped', 'destroyed']) {
      expect(await over.next()).toContain(`"state":"${state}"`);
    }
    expect(await over.next()).toBeNull();
  });

  it('end soon after their key is revoked', async () => {
    const ended = await test.issue({ namespace: 'team' });
    const [stream, other] = [
      await open('/sandboxes/events', ended.text),
      await open('/sandboxes/events'),
    ];
    await revokeKey(test.keyDependencies, ended.key.id);
    test.timers.pass();
    expect(await stream.next()).toBeNull();
    await settle();
    const id = await make();
    expect(await other.next()).toContain(id);
    await other.close();
  });
});
