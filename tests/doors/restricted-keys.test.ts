import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;
/** May do everything in `team`, and make keys. */
let owner: string;

beforeAll(async () => {
  test = await createTestApp(folder);
  owner = (await test.issue({ namespace: 'team' })).text;
});

const mint = async (restrictions: object, key = owner) =>
  await test.api('POST', '/api-keys', key, { name: 'restricted', restrictions });
const start = async (key: string, sandbox: string, config?: object) =>
  await test.call('sandbox.start', { sandbox, ...(config === undefined ? {} : { config }) }, key);
const run = async (key: string, sandbox: string) =>
  await test.call('sandbox.command.run', { sandbox, command: 'true' }, key);
const sandboxNamed = async (name: string) => {
  const workspace = await test.storage.workspaces.findBySlug('team');
  return await test.storage.sandboxes.findByName(workspace?.id ?? '', name);
};

describe('a restricted key', () => {
  it('is made over HTTP, shown as it was made, and changed', async () => {
    const restrictions = {
      templates: ['microsandbox/python'],
      sandbox_name_prefix: 'job-',
      max_cpus: 0.5,
      max_memory_mib: 256,
      mcp_tools: ['github/read_*'],
    };
    const made = await mint(restrictions);
    expect(made.body.restrictions).toEqual(restrictions);
    const path = `/api-keys/${made.body.id}`;
    expect((await test.api('GET', path, owner)).body.restrictions).toEqual(restrictions);
    const me = await test.api('GET', '/me', made.body.key);
    expect(me.body.api_key.restrictions).toEqual(restrictions);
    const changed = await test.api('PUT', path, owner, { restrictions: { max_cpus: 1 } });
    expect(changed.body.restrictions).toEqual({ max_cpus: 1 });
    expect((await test.api('PUT', path, owner, { restrictions: {} })).body.restrictions).toEqual(
      {},
    );
  });

  it('cannot be made of nonsense, and every mistake is named', async () => {
    const { status, body } = await mint({
      templates: ['a b'],
      sandbox_name_prefix: '-x',
      max_memory_mib: 0.5,
      mcp_tools: ['github'],
    });
    expect(status).toBe(400);
    for (const part of ['"a b"', 'prefix', 'maxMemoryMib', '"github"']) {
      expect(body.detail).toContain(part);
    }
    expect((await mint({ sandbox: 'f'.repeat(24) })).status).toBe(404);
    expect((await mint({ anything: 1 })).body.detail).toContain('anything');
  });

  it('gives no child more than it has, and bounds children that were made before', async () => {
    const parent = (await mint({ sandbox_name_prefix: 'job-', max_cpus: 1 })).body;
    const inherited = (await mint({}, parent.key)).body;
    expect(inherited.restrictions).toEqual({ sandbox_name_prefix: 'job-', max_cpus: 1 });
    const wider = await mint({ sandbox_name_prefix: 'j', max_cpus: 2 }, parent.key);
    expect(wider.status).toBe(403);
    expect(wider.body.detail).toContain('more CPUs, sandboxes of other names');
    const child = (await mint({ sandbox_name_prefix: 'job-1' }, parent.key)).body;
    const lifted = await test.api('PUT', `/api-keys/${child.id}`, parent.key, { restrictions: {} });
    expect(lifted.body.detail).toContain('An API key can give no more than it has');
    await test.api('PUT', `/api-keys/${parent.id}`, owner, {
      restrictions: { templates: ['microsandbox/node'] },
    });
    const refused = await start(child.key, 'job-17', { image: 'microsandbox/python' });
    expect(refused).toMatchObject({ status: 403, body: { code: 3006 } });
  });

  it('starts only what it may, with no more than it may', async () => {
    const key = (
      await mint({ templates: ['microsandbox/python'], sandbox_name_prefix: 'lab-', max_cpus: 0.5 })
    ).body.key;
    const refused = await start(key, 'free', { image: 'microsandbox/node', cpus: 1 });
    expect(refused.status).toBe(403);
    expect(refused.body.error).toBe(
      'This API key is restricted: the names of its sandboxes begin with "lab-"; its sandboxes are made of microsandbox/python; its sandboxes have up to 0.5 CPUs',
    );
    expect((await start(key, 'lab-1')).status).toBe(200);
    expect((await sandboxNamed('lab-1'))?.definition.resources.cpus).toBe(0.5);
  });

  it('finds nothing else at any method of the door', async () => {
    await start(owner, 'hidden');
    await start(owner, 'open-1');
    const key = (await mint({ sandbox_name_prefix: 'open-' })).body.key;
    for (const [method, params] of [
      ['sandbox.command.run', { command: 'true' }],
      ['sandbox.repl.run', { language: 'python', code: '1' }],
      ['sandbox.stop', {}],
      ['sandbox.metrics.get', {}],
    ] as const) {
      const absent = await test.call(method, { sandbox: 'absent', ...params }, key);
      const hidden = await test.call(method, { sandbox: 'hidden', ...params }, key);
      expect([method, hidden.text.replace('hidden', 'absent')]).toEqual([method, absent.text]);
      expect(hidden.body.error.data.code).toBe('sandbox_not_found');
    }
    const { body } = await test.call('sandbox.metrics.get', {}, key);
    expect(body.result.sandboxes.map(({ name }: { name: string }) => name)).toEqual(['open-1']);
    expect((await run(key, 'open-1')).body.result.success).toBe(true);
  });

  it('of one sandbox dies with it, its children too, and never lives longer', async () => {
    await start(owner, 'mortal');
    const id = (await sandboxNamed('mortal'))?.id ?? '';
    const bound = (await mint({ sandbox: id })).body;
    const child = (await mint({}, bound.key)).body;
    expect(child.restrictions).toEqual({ sandbox: id });
    for (const key of [bound.key, child.key]) {
      expect((await run(key, 'mortal')).body.result.success).toBe(true);
      expect((await run(key, 'open-1')).body.error.data.code).toBe('sandbox_not_found');
    }
    const workspace = await test.storage.workspaces.findBySlug('team');
    if (workspace === null) throw new Error('The workspace is gone.');
    await test.sandboxes.destroy(workspace, 'mortal');
    for (const key of [bound.key, child.key]) {
      expect((await test.api('GET', '/me', key)).status).toBe(401);
    }
    // Another one of that name is another one.
    await start(owner, 'mortal');
    expect((await run(bound.key, 'mortal')).status).toBe(401);
    expect((await mint({ sandbox: id })).status).toBe(404);
  });
});
