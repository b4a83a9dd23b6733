import { SandgateError } from '@sandgate/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { settle } from '../support/manual-time.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestSandboxes, type TestSandboxes } from '../support/test-sandboxes.ts';

const folder = temporaryFolder();
let test: TestSandboxes;
beforeEach(async () => {
  test = await createTestSandboxes(folder);
});

const minute = 60_000;
const engineFailed = new SandgateError('engine_failed', 'No more processes');

describe('create', () => {
  it('makes a ready sandbox with everything that was asked for', async () => {
    test.callerKey = 7;
    const { sandboxes, workspace, engine, time } = test;
    const sandbox = await sandboxes.create(workspace, {
      name: 'box',
      template: 'node',
      environment: { A: '1' },
      labels: { team: 'core' },
      egress: { mode: 'restricted', allow: ['Example.com'] },
      lifetime: { expiresInMs: minute, idleTimeoutMs: 5 * minute },
    });
    expect(sandbox).toMatchObject({
      name: 'box',
      state: 'ready',
      template: 'node',
      definition: { image: 'microsandbox/node', environment: { A: '1' } },
      labels: { team: 'core' },
      egress: { mode: 'restricted', allow: ['example.com'] },
      lifetime: { expiresAtMs: time.nowMs() + minute, idleTimeoutMs: 5 * minute, oneShot: false },
      createdByKey: 7,
    });
    expect(engine.started).toMatchObject([
      { id: sandbox.id, hostname: 'box', image: 'microsandbox/node', egress: sandbox.egress },
    ]);
    expect(await sandboxes.find(workspace, 'box')).toEqual(sandbox);
    expect(await sandboxes.find(workspace, sandbox.id)).toEqual(sandbox);
    expect(test.states).toEqual(['box:starting', 'box:ready']);
  });

  it('names what has no name, and refuses a name that is taken', async () => {
    const { sandboxes, workspace } = test;
    const first = await sandboxes.create(workspace, {});
    const second = await sandboxes.create(workspace, {});
    expect(first.name).toMatch(/^[a-z]+-[a-z]+-\d{1,3}$/);
    expect(second.name).not.toBe(first.name);
    expect(first.template).toBe('python');
    await expect(sandboxes.create(workspace, { name: first.name })).rejects.toMatchObject({
      code: 'sandbox_exists',
    });
    expect((await sandboxes.create(test.other, { name: first.name })).state).toBe('ready');
    expect(test.engine.live.size).toBe(3);
  });

  it.each([
    [{ template: 'cobol' }, 'image_unknown'],
    [{ name: 'no spaces' }, 'invalid_request'],
    [{ labels: { 'not a label': 'x' } }, 'invalid_request'],
    [{ egress: { mode: 'restricted', allow: ['http://x'] } }, 'egress_invalid'],
    [{ volumes: [{ volumeId: '0'.repeat(24), guestPath: '/data' }] }, 'volume_not_found'],
    [{ volumes: [{ volumeId: '0'.repeat(24), guestPath: '/usr/x' }] }, 'volume_refused'],
    [{ fromSnapshot: '0'.repeat(24) }, 'snapshot_not_found'],
    [{ lifetime: { expiresInMs: 0 } }, 'invalid_request'],
    [{ lifetime: { idleTimeoutMs: 1.5 } }, 'invalid_request'],
    [{ snapshotSchedule: { cron: 'daily', keep: 1 } }, 'invalid_request'],
    [{ snapshotSchedule: { cron: '0 0 31 2 *', keep: 1 } }, 'invalid_request'],
  ] as const)('refuses %j before anything is made', async (requested, code) => {
    await expect(test.sandboxes.create(test.workspace, requested)).rejects.toMatchObject({ code });
    expect(test.engine.started).toEqual([]);
    expect((await test.sandboxes.usage(test.workspace)).used.sandboxes).toBe(0);
  });

  it('leaves nothing but a destroyed record of one that cannot start', async () => {
    const { sandboxes, workspace, engine } = test;
    engine.failStart = engineFailed;
    await expect(sandboxes.create(workspace, { name: 'box' })).rejects.toBe(engineFailed);
    expect(test.states).toEqual(['box:starting', 'box:failed', 'box:destroyed(failed)']);
    expect((await sandboxes.usage(workspace)).used).toMatchObject({ sandboxes: 0, running: 0 });
    engine.failStart = null;
    expect((await sandboxes.create(workspace, { name: 'box' })).state).toBe('ready');
  });

  it('says what the engine lacks', async () => {
    test.engine.takeAway('setEgress', 'volumes');
    const refused = { code: 'capability_missing' };
    const { sandboxes, workspace } = await createTestSandboxes(folder).then((fresh) => {
      fresh.engine.takeAway('setEgress', 'volumes', 'files', 'openTerminal', 'pause', 'dial');
      return Object.assign(fresh, { refused });
    });
    await expect(sandboxes.create(workspace, { name: 'plain' })).resolves.toBeDefined();
    for (const call of [
      sandboxes.create(workspace, { volumes: [{ volumeId: 'v', guestPath: '/v' }] }),
      sandboxes.createVolume(workspace, { name: 'v', sizeMib: 1 }),
      sandboxes.files(workspace, 'plain'),
      sandboxes.openTerminal(workspace, 'plain', {
        argv: ['sh'],
        columns: 80,
        rows: 24,
        onOutput: () => undefined,
      }),
      sandboxes.pause(workspace, 'plain'),
      sandboxes.dial(workspace, 'plain', 80),
    ]) {
      await expect(call).rejects.toMatchObject(refused);
    }
  });
});

describe('a sandbox that is looked for', () => {
  it('is found by id or name in its own workspace, and destroyed ones by id where that is wanted', async () => {
    const { sandboxes, workspace, other } = test;
    const { id } = await sandboxes.create(workspace, { name: 'box' });
    const notFound = { code: 'sandbox_not_found' };
    await expect(sandboxes.find(other, id)).rejects.toMatchObject(notFound);
    await expect(sandboxes.find(other, 'box')).rejects.toMatchObject(notFound);
    await sandboxes.destroy(workspace, 'box');
    await expect(sandboxes.find(workspace, id)).rejects.toMatchObject(notFound);
    const gone = await sandboxes.find(workspace, id, { includeDestroyed: true });
    expect(gone).toMatchObject({ state: 'destroyed', destroyReason: 'user' });
    expect(await sandboxes.destroy(workspace, id)).toEqual(gone);
    await expect(sandboxes.destroy(workspace, 'box')).rejects.toMatchObject(notFound);
    await expect(sandboxes.destroy(other, id)).rejects.toMatchObject(notFound);
  });

  it('is waited for until it is there, the time is over, or it is destroyed', async () => {
    const { sandboxes, workspace, time } = test;
    await sandboxes.create(workspace, { name: 'box' });
    const wait = (timeoutMs: number) =>
      sandboxes.wait(workspace, 'box', { states: ['paused'], timeoutMs });
    const paused = wait(minute);
    await sandboxes.pause(workspace, 'box');
    expect(await paused).toMatchObject({ state: 'paused' });
    expect(await wait(minute)).toMatchObject({ state: 'paused' });
    await sandboxes.resume(workspace, 'box');
    const late = wait(minute);
    await time.advance(minute);
    expect(await late).toMatchObject({ state: 'ready' });
    const gone = wait(minute);
    await settle();
    await sandboxes.destroy(workspace, 'box');
    expect(await gone).toMatchObject({ state: 'destroyed' });
    expect(time.waiting).toBeLessThanOrEqual(2);
  });
});

describe('a paused sandbox', () => {
  it('takes no calls, keeps its memory, and goes on', async () => {
    const { sandboxes, workspace, engine } = test;
    const { id } = await sandboxes.create(workspace, { name: 'box' });
    const paused = await sandboxes.pause(workspace, 'box');
    expect(paused).toMatchObject({ state: 'paused', pausedAtMs: test.time.nowMs() });
    expect(engine.live.get(id)?.isPaused).toBe(true);
    expect(await sandboxes.pause(workspace, 'box')).toEqual(paused);
    const exec = () =>
      sandboxes.exec(workspace, 'box', { argv: ['true'], onOutput: () => undefined });
    await expect(exec()).rejects.toMatchObject({ code: 'sandbox_paused' });
    await expect(sandboxes.setEgress(workspace, 'box', { mode: 'open' })).rejects.toMatchObject({
      code: 'sandbox_paused',
    });
    expect(await sandboxes.resume(workspace, 'box')).toMatchObject({
      state: 'ready',
      pausedAtMs: null,
    });
    expect(await exec()).toEqual({ kind: 'exited', exitCode: 0 });
    expect(await sandboxes.resume(workspace, 'box')).toMatchObject({ state: 'ready' });
  });

  it('is resumed by a call that comes while it is being paused', async () => {
    const { sandboxes, workspace } = test;
    await sandboxes.create(workspace, { name: 'box' });
    const [paused, resumed] = await Promise.all([
      sandboxes.pause(workspace, 'box'),
      sandboxes.resume(workspace, 'box'),
    ]);
    expect([paused.state, resumed.state]).toEqual(['paused', 'ready']);
  });

  it('is ready again when it could not be paused, and can be stopped, started and destroyed', async () => {
    const { sandboxes, workspace, engine } = test;
    await sandboxes.create(workspace, { name: 'box' });
    engine.failPause = engineFailed;
    await expect(sandboxes.pause(workspace, 'box')).rejects.toBe(engineFailed);
    expect((await sandboxes.find(workspace, 'box')).state).toBe('ready');
    engine.failPause = null;
    await sandboxes.pause(workspace, 'box');
    expect((await sandboxes.start(workspace, 'box', null)).state).toBe('ready');
    await sandboxes.pause(workspace, 'box');
    expect(await sandboxes.stop(workspace, 'box')).toMatchObject({
      state: 'stopped',
      pausedAtMs: null,
    });
    await sandboxes.start(workspace, 'box', null);
    await sandboxes.pause(workspace, 'box');
    await sandboxes.destroy(workspace, 'box');
    expect(engine.live.size).toBe(0);
  });
});

describe('a change', () => {
  it('renames, labels, extends, and says what it changed', async () => {
    const { sandboxes, workspace, time } = test;
    const { id } = await sandboxes.create(workspace, { name: 'box', labels: { a: '1' } });
    await sandboxes.create(workspace, { name: 'taken' });
    const events = sandboxes.events(workspace, { signal: AbortSignal.timeout(20_000) });
    const reader = events[Symbol.asyncIterator]();
    const changed = await sandboxes.update(workspace, 'box', {
      name: 'renamed',
      labels: { b: '2' },
      lifetime: { expiresInMs: 90 * minute },
    });
    expect(changed).toMatchObject({
      id,
      name: 'renamed',
      labels: { b: '2' },
      lifetime: { expiresAtMs: time.nowMs() + 90 * minute, idleTimeoutMs: null },
    });
    expect((await reader.next()).value).toMatchObject({
      kind: 'sandbox.changed',
      sandboxId: id,
      changed: ['name', 'labels', 'lifetime'],
    });
    await expect(sandboxes.update(workspace, 'renamed', { name: 'taken' })).rejects.toMatchObject({
      code: 'sandbox_exists',
    });
    expect((await sandboxes.find(workspace, 'renamed')).id).toBe(id);
    await expect(sandboxes.find(workspace, 'box')).rejects.toMatchObject({
      code: 'sandbox_not_found',
    });
  });

  it('switches the network while it runs, and stores it for one that does not', async () => {
    const { sandboxes, workspace, engine } = test;
    const { id } = await sandboxes.create(workspace, { name: 'box' });
    const restricted = { mode: 'restricted', allow: ['192.0.2.0/24'] } as const;
    expect(await sandboxes.setEgress(workspace, 'box', restricted)).toMatchObject({
      sandbox: { egress: restricted },
      networkUpdated: true,
    });
    expect(engine.live.get(id)?.egress).toEqual(restricted);
    await sandboxes.stop(workspace, 'box');
    expect(await sandboxes.setEgress(workspace, 'box', { mode: 'open' })).toMatchObject({
      networkUpdated: false,
    });
    await sandboxes.start(workspace, 'box', null);
    expect(engine.started.at(-1)?.egress).toEqual({ mode: 'open' });
  });

  it('puts the network back when the change cannot be stored', async () => {
    const { sandboxes, workspace, engine } = test;
    const { id } = await sandboxes.create(workspace, { name: 'box' });
    test.failUpdates(1);
    await expect(sandboxes.setEgress(workspace, 'box', { mode: 'open' })).rejects.toThrow('full');
    expect(engine.live.get(id)?.egress).toEqual({ mode: 'deny_all' });
    expect((await sandboxes.find(workspace, 'box')).egress).toEqual({ mode: 'deny_all' });
  });
});

describe('work in a sandbox', () => {
  it('reaches files, terminals and ports', async () => {
    const { sandboxes, workspace } = test;
    await sandboxes.create(workspace, { name: 'box' });
    const files = await sandboxes.files(workspace, 'box');
    const source = (async function* () {
      yield Buffer.from('hello');
    })();
    expect(await files.write({ path: '/a', source })).toBe(5);
    expect(await files.stat('/a')).toMatchObject({ sizeBytes: 5 });
    const shown: string[] = [];
    const terminal = await sandboxes.openTerminal(workspace, 'box', {
      argv: ['sh'],
      columns: 80,
      rows: 24,
      onOutput: (data) => void shown.push(data.toString()),
    });
    await terminal.write(Buffer.from('ls'));
    expect(shown).toEqual(['ls']);
    const connection = await sandboxes.dial(workspace, 'box', 80);
    connection.write('ping');
    expect(String((await connection.take(1).toArray())[0])).toBe('ping');
    await expect(sandboxes.dial(workspace, 'box', 1)).rejects.toMatchObject({
      code: 'port_closed',
    });
    await expect(sandboxes.dial(workspace, 'box', 0)).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });

  it('needs one that runs', async () => {
    const { sandboxes, workspace } = test;
    await sandboxes.create(workspace, { name: 'box' });
    await sandboxes.stop(workspace, 'box');
    await expect(sandboxes.files(workspace, 'box')).rejects.toMatchObject({
      code: 'sandbox_not_running',
      data: { state: 'stopped' },
    });
  });
});

describe('events', () => {
  it('come to a reader that was away, and tell one that was away too long', async () => {
    const { sandboxes, workspace } = test;
    const { signal } = new AbortController();
    const first = sandboxes.events(workspace, { signal })[Symbol.asyncIterator]();
    await sandboxes.create(workspace, { name: 'box' });
    await sandboxes.create(test.other, { name: 'not-mine' });
    const starting = (await first.next()).value;
    expect(starting).toMatchObject({ kind: 'sandbox.state', state: 'starting', previous: null });
    const again = sandboxes.events(workspace, { signal, afterId: starting.id });
    expect((await again[Symbol.asyncIterator]().next()).value).toMatchObject({ state: 'ready' });
    for (let round = 0; round < 600; round += 1) {
      await sandboxes.update(workspace, 'box', { labels: { round: `${round}` } });
      await sandboxes.update(workspace, 'box', { labels: {} });
    }
    const late = sandboxes.events(workspace, { signal, afterId: starting.id });
    const reader = late[Symbol.asyncIterator]();
    expect((await reader.next()).value).toMatchObject({ kind: 'events.missed' });
    expect((await reader.next()).value).toMatchObject({ kind: 'sandbox.changed' });
  });

  it('have ids that grow over a restart, and end with their signal', async () => {
    const { workspace, time } = test;
    const stop = new AbortController();
    const before = test.sandboxes.events(workspace, { signal: stop.signal });
    const reader = before[Symbol.asyncIterator]();
    await test.sandboxes.create(workspace, { name: 'box' });
    const { id } = (await reader.next()).value;
    await reader.next();
    const ended = reader.next();
    stop.abort();
    expect(await ended).toEqual({ done: true, value: undefined });
    await time.advance(1);
    const restarted = await test.crash();
    const { signal } = new AbortController();
    const missed = restarted.events(workspace, { signal, afterId: id })[Symbol.asyncIterator]();
    expect((await missed.next()).value).toMatchObject({ kind: 'events.missed' });
    await restarted.start(workspace, 'box', null);
    expect((await missed.next()).value.id).toBeGreaterThan(id);
  });

  it('tell of connections that were refused', async () => {
    const { sandboxes, workspace, engine, time } = test;
    const { id } = await sandboxes.create(workspace, { egress: { mode: 'open' } });
    const { signal } = new AbortController();
    const reader = sandboxes.events(workspace, { signal })[Symbol.asyncIterator]();
    const denial = { sandboxId: id, host: '10.0.0.1', port: 22, reason: 'It is private' };
    engine.live.get(id)?.observer.onEgressDenied?.({ ...denial, atMs: time.nowMs() });
    expect((await reader.next()).value).toMatchObject({ kind: 'egress.denied', ...denial });
  });
});

describe('the log of a main command', () => {
  it('is read from any byte, and followed until the sandbox stops', async () => {
    const { sandboxes, workspace, engine } = test;
    let write: (text: string) => void = () => undefined;
    engine.onExec = (request) => {
      write = (text) => void request.onOutput({ stream: 'stdout', data: Buffer.from(text) });
      return new Promise(() => undefined);
    };
    await sandboxes.create(workspace, { name: 'box', exec: 'serve' });
    write('one ');
    await settle();
    const stop = new AbortController();
    const parts: string[] = [];
    const following = (async () => {
      for await (const { data } of sandboxes.followLog(workspace, 'box', {
        fromByte: 0,
        signal: stop.signal,
      })) {
        parts.push(data.toString());
      }
    })();
    await settle();
    write('two');
    await settle();
    expect(parts.join('')).toBe('one two');
    const part = await sandboxes.readLog(workspace, 'box', { fromByte: -3, maxBytes: 2 });
    expect({ ...part, data: part.data.toString() }).toEqual({
      ...{ data: 'tw', fromByte: 4, toByte: 6, endByte: 7 },
    });
    await sandboxes.stop(workspace, 'box');
    await following;
  });
});
