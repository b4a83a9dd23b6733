import { beforeAll, describe, expect, it } from 'vitest';
import { storedState } from '../support/stored-state.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;
let key: string;

beforeAll(async () => {
  test = await createTestApp(folder, { policy: { maxSandboxes: 100 } });
  key = (await test.issue({ namespace: 'team' })).text;
  test.engine.layerBytes = 50;
});

const call = async (...request: Parameters<TestApp['api']>) => {
  const { status, body, headers } = await test.api(...request);
  return { status, body, code: headers.get('x-error-code') };
};
const make = async (body: Record<string, unknown> = {}) =>
  (await call('POST', '/sandboxes', key, body)).body;
const snapshot = async (sandbox: string, more: Record<string, unknown> = {}) =>
  await call('POST', '/snapshots', key, { sandbox, ...more });

describe('a snapshot', () => {
  it('is made of a running sandbox, shown, listed by its sandbox, and deleted', async () => {
    const { id: sandbox } = await make({ name: 'source', template: 'node' });
    const { status, body } = await snapshot('source', { name: 'first', expires_in: '1h' });
    expect([status, body]).toEqual([
      200,
      {
        ...{ id: expect.stringMatching(/^[0-9a-f]{24}$/), name: 'first', sandbox_id: sandbox },
        ...{ workspace_id: expect.any(String), template: 'node', state: 'ready' },
        ...{ automatic: false, size_bytes: 50, failure: null },
        ...{ created_at: '2027-01-15T08:00:00Z', expires_at: '2027-01-15T09:00:00Z' },
      },
    ]);
    expect((await call('GET', `/snapshots/${body.id}`, key)).body).toEqual(body);
    expect((await snapshot('source', { name: 'first' })).code).toBe('snapshot_exists');
    // Ids of one millisecond are in no order.
    test.clock.currentMs += 1;
    await snapshot(sandbox, { name: 'second' });
    await call('DELETE', `/sandboxes/${sandbox}`, key);
    const list = (query: string) => call('GET', `/snapshots?sandbox=${sandbox}${query}`, key);
    const newest = (await list('&size=1')).body;
    expect(newest).toMatchObject({ total: 2, snapshots: [{ name: 'second' }] });
    const next = (await list(`&cursor=${newest.next_cursor}`)).body;
    expect(next).toMatchObject({ next_cursor: null, snapshots: [{ name: 'first' }] });
    expect((await list('&automatic=true')).body.total).toBe(0);
    expect((await list('&automatic=perhaps')).status).toBe(400);
    expect((await list('&state=ready&name_prefix=fi')).body.total).toBe(1);
    expect((await call('DELETE', `/snapshots/${body.id}`, key)).status).toBe(204);
    expect((await call('GET', `/snapshots/${body.id}`, key)).code).toBe('snapshot_not_found');
  });

  it('can be answered before it is there, and tells why it failed', async () => {
    const { id: sandbox } = await make();
    const stored = Promise.withResolvers<void>();
    test.engine.beforeSnapshot = () => stored.promise;
    const begun = await snapshot(sandbox, { wait_seconds: 0 });
    expect(begun.body).toMatchObject({ state: 'creating', size_bytes: null });
    expect((await snapshot(sandbox)).code).toBe('sandbox_busy');
    stored.reject(new Error('The disk is broken.'));
    await expect
      .poll(async () => (await call('GET', `/snapshots/${begun.body.id}`, key)).body)
      .toMatchObject({ state: 'failed', failure: 'The engine could not store it' });
    test.engine.beforeSnapshot = async () => undefined;
    await call('POST', `/sandboxes/${sandbox}/stop`, key);
    expect((await snapshot(sandbox)).code).toBe('sandbox_not_running');
  });

  it('begins a new sandbox, for a key that may make one and read the snapshot', async () => {
    const { id: sandbox } = await make({ env: { A: '1' }, workdir: '/srv' });
    const { id } = (await snapshot(sandbox)).body;
    const path = `/snapshots/${id}/restore`;
    const restored = (await call('POST', path, key)).body;
    expect(restored).toMatchObject({ state: 'ready', from_snapshot: id, workdir: '/srv' });
    expect(restored.env_names).toEqual(['A']);
    const other = await call('POST', path, key, { env: { B: '2' }, labels: { of: 'test' } });
    expect(other.body).toMatchObject({ env_names: ['B'], labels: { of: 'test' } });
    expect((await call('POST', path, key, { template: 'node' })).status).toBe(400);
    expect((await call('POST', '/sandboxes', key, { from_snapshot: id })).status).toBe(200);
    const unread = await test.issue({ namespace: 'team', scopes: ['sandbox:write'] });
    for (const refused of [
      await call('POST', path, unread.text),
      await call('POST', '/sandboxes', unread.text, { from_snapshot: id }),
    ]) {
      expect([refused.status, refused.code]).toEqual([403, 'scope_missing']);
    }
  });

  it('gives its environment to what is made of it, and neither has it at rest', async () => {
    const environment = { TOKEN: 'never-to-be-at-rest' };
    const { id: sandbox } = await make({ env: environment });
    const { id } = (await snapshot(sandbox)).body;
    await call('POST', `/snapshots/${id}/restore`, key);
    expect(test.engine.started.at(-1)?.environment).toEqual(environment);
    await call('POST', `/sandboxes/${sandbox}/stop`, key);
    await call('POST', `/sandboxes/${sandbox}/start`, key);
    expect(test.engine.started.at(-1)?.environment).toEqual(environment);
    expect(storedState(folder)).not.toContain(environment.TOKEN);
  });

  it('is made by a schedule, which is set, shown and ended', async () => {
    const { id } = await make();
    const path = `/sandboxes/${id}/snapshot-schedule`;
    expect((await call('GET', path, key)).body).toEqual({ schedule: null, next_at: null });
    const schedule = { cron: '30 9 * * *', keep: 2 };
    const set = { schedule, next_at: '2027-01-15T09:30:00Z' };
    expect((await call('PUT', path, key, schedule)).body).toEqual(set);
    expect((await call('GET', path, key)).body).toEqual(set);
    for (const wrong of [{ cron: 'daily' }, { keep: 0 }, { cron: '0 0 31 2 *' }]) {
      expect((await call('PUT', path, key, { ...schedule, ...wrong })).status).toBe(400);
    }
    expect((await call('DELETE', path, key)).body).toEqual({ schedule: null, next_at: null });
    const writer = await test.issue({ namespace: 'team', scopes: ['sandbox:write'] });
    const given = { snapshot_schedule: schedule };
    expect((await call('POST', '/sandboxes', writer.text, given)).code).toBe('scope_missing');
    expect((await call('PATCH', `/sandboxes/${id}`, writer.text, given)).code).toBe(
      'scope_missing',
    );
  });
});

describe('a volume', () => {
  it('is made with a size, attached at the start of a sandbox, and deleted when it is free', async () => {
    const { status, body } = await call('POST', '/volumes', key, { name: 'data', size_mib: 64 });
    expect([status, body]).toMatchObject([
      200,
      { name: 'data', size_mib: 64, state: 'ready', attached_sandbox_id: null, path: null },
    ]);
    expect((await call('POST', '/volumes', key, { name: 'data', size_mib: 1 })).code).toBe(
      'volume_exists',
    );
    expect((await call('POST', '/volumes', key, { name: 'No!', size_mib: 1 })).status).toBe(400);
    const volumes = [{ volume: 'data', path: '/data' }];
    const sandbox = await make({ volumes });
    expect(sandbox.volumes).toEqual([{ volume_id: body.id, path: '/data', read_only: false }]);
    expect((await call('GET', '/volumes/data', key)).body).toMatchObject({
      attached_sandbox_id: sandbox.id,
      path: '/data',
      last_attached_at: '2027-01-15T08:00:00Z',
    });
    expect((await call('GET', '/volumes?attached=true', key)).body.total).toBe(1);
    expect((await call('GET', '/volumes?attached=false', key)).body.total).toBe(0);
    expect((await call('DELETE', `/volumes/${body.id}`, key)).code).toBe('volume_attached');
    expect((await call('POST', '/sandboxes', key, { volumes })).code).toBe('volume_attached');
    await call('DELETE', `/sandboxes/${sandbox.id}`, key);
    expect((await call('DELETE', '/volumes/data', key)).status).toBe(204);
    expect((await call('GET', '/volumes/data', key)).code).toBe('volume_not_found');
    expect(test.engine.storedVolumes.size).toBe(0);
  });

  it('is attached by a key that may use it as it is attached', async () => {
    await call('POST', '/volumes', key, { name: 'shared', size_mib: 1 });
    const mount = { volume: 'shared', path: '/shared' };
    const ask = async (scope: 'volume:read' | 'volume:write', read_only: boolean) => {
      const { text } = await test.issue({ namespace: 'team', scopes: ['sandbox:write', scope] });
      const made = await call('POST', '/sandboxes', text, { volumes: [{ ...mount, read_only }] });
      if (made.status === 200) await call('DELETE', `/sandboxes/${made.body.id}`, key);
      return made.code;
    };
    expect(await ask('volume:read', false)).toBe('scope_missing');
    expect(await ask('volume:read', true)).toBeNull();
    expect(await ask('volume:write', false)).toBeNull();
  });
});

describe('the templates', () => {
  it('are told with their engine, and with what a sandbox gets and may have', async () => {
    const { body } = await call('GET', '/templates', key);
    expect(body.templates).toEqual([
      {
        ...{ name: 'python', display_name: 'python', description: 'Python 3.11.2' },
        ...{ image: 'microsandbox/python', engine: 'scripted', languages: ['python'] },
        default: true,
      },
      expect.objectContaining({ name: 'node', default: false }),
    ]);
    expect(body).toMatchObject({
      defaults: {
        resources: { cpus: 1, memory_mib: 1_024, disk_mib: 1_024, max_processes: 256 },
        egress: { mode: 'deny_all' },
        lifetime: { idle_timeout_seconds: null },
      },
      maxima: { cpus: 4 },
    });
    const { text } = await test.issue({
      namespace: 'team',
      restrictions: { templates: ['node'], maxCpus: 0.5 },
    });
    const narrowed = (await call('GET', '/templates', text)).body;
    expect(narrowed.templates).toMatchObject([{ name: 'node' }]);
    expect([narrowed.defaults.resources.cpus, narrowed.maxima.cpus]).toEqual([0.5, 0.5]);
  });
});
