import { createUser, type Role, roles, SandgateError, type User } from '@sandgate/core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type ModboxCall, modboxClient } from '../support/modbox-client.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
const password = 'correct horse battery';
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/;
let test: TestApp;
let client: ReturnType<typeof modboxClient>;
let owner: { readonly user: User; readonly token: string };
let count = 0;

async function newPerson() {
  count += 1;
  const user = await createUser(
    { ...test.keyDependencies, hasher: test.people.hasher },
    { email: `person${count}@example.com`, password },
  );
  return { user, token: (await client.tokens(user.email, password)).access_token };
}

async function newWorkspace(by = owner): Promise<string> {
  const made = await client.call('POST', '/workspaces', { name: 'Team' }, { token: by.token });
  return made.body.id;
}

beforeAll(async () => {
  test = await createTestApp(folder, { policy: { maxSandboxes: 100 } });
  client = modboxClient(test);
  owner = await newPerson();
});

const post = (path: string, body: unknown, call: ModboxCall = {}) =>
  client.call('POST', `/sandboxes/${path}`, body, { token: owner.token, ...call });
const detail = (reference: string, call: ModboxCall = {}) =>
  client.call('GET', `/sandboxes/detail/${reference}`, undefined, { token: owner.token, ...call });
const provision = (task_id: string, fields: object = {}, call: ModboxCall = {}) =>
  post('provision', { task_id, ...fields }, call);
const wait = (task_id: string, call: ModboxCall = {}) => post('wait', { task_id }, call);
const destroy = (task_id: string, call: ModboxCall = {}) => post('destroy', { task_id }, call);

/** A start that waits until it is told to go on. */
function holdStarts() {
  let go: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  test.engine.beforeStart = () => gate;
  return () => {
    test.engine.beforeStart = async () => undefined;
    go();
  };
}

describe('a sandbox of a task', () => {
  it('is answered for before it runs, waited for, read, listed and destroyed', async () => {
    const goOn = holdStarts();
    const env_vars = { GREETING: 'hello' };
    const made = await provision('my-browser-sandbox', { env_vars, ttl_seconds: 3_600 });
    expect([made.status, made.body]).toEqual([
      200,
      {
        success: true,
        error: null,
        sandbox_id: expect.stringMatching(uuid),
        sandbox_url: `http://localhost/modbox/s/${made.body.sandbox_id}`,
        status: 'provisioning',
        expires_at: new Date(test.clock.currentMs + 3_600_000).toISOString(),
      },
    ]);
    const id = made.body.sandbox_id;
    expect((await detail(id)).body.status).toBe('provisioning');
    const waiting = wait('my-browser-sandbox');
    goOn();
    expect((await waiting).body).toEqual({
      ready: true,
      elapsed_seconds: 0,
      status: 'running',
      error: null,
    });
    expect(test.engine.started.at(-1)?.environment).toEqual(env_vars);
    const shown = await detail(id);
    expect(shown.body).toEqual({
      id,
      name: 'my-browser-sandbox',
      status: 'running',
      sandbox_url: made.body.sandbox_url,
      image: 'python',
      created_by: 'operator',
      created_at: expect.any(String),
      updated_at: expect.any(String),
      destroyed_at: null,
      expires_at: made.body.expires_at,
      destroy_reason: null,
      error: null,
    });
    expect((await detail('my-browser-sandbox')).body).toEqual(shown.body);
    const list = async (query = '') =>
      (await client.call('GET', `/sandboxes${query}`, undefined, { token: owner.token })).body;
    expect((await list()).sandboxes).toContainEqual(shown.body);
    expect((await list('?status=running')).sandboxes).toContainEqual(shown.body);
    expect((await list('?realm=another')).sandboxes).toEqual([]);
    const gone = await destroy('my-browser-sandbox');
    expect([gone.status, gone.body]).toEqual([200, { success: true, error: null }]);
    expect((await destroy('my-browser-sandbox')).body.success).toBe(true);
    for (const reference of [id, 'my-browser-sandbox']) {
      expect((await detail(reference)).body).toMatchObject({
        status: 'destroyed',
        destroyed_at: expect.any(String),
        destroy_reason: 'user',
      });
    }
    expect((await list()).sandboxes).not.toContainEqual(expect.objectContaining({ id }));
    expect((await list('?status=destroyed')).sandboxes).toContainEqual(
      expect.objectContaining({ id }),
    );
    expect((await wait('my-browser-sandbox')).body).toMatchObject({
      ready: false,
      status: 'destroyed',
    });
  });

  it.each(['a task: with any text/äöü?', 'x'.repeat(255), 'f'.repeat(24)])(
    'may be called %s',
    async (task) => {
      const made = await provision(task);
      expect(made.body.success).toBe(true);
      expect((await wait(task)).body.ready).toBe(true);
      expect((await detail(made.body.sandbox_id)).body.name).toBe(task);
      expect((await detail(encodeURIComponent(task))).body.id).toBe(made.body.sandbox_id);
      expect((await destroy(task)).body.success).toBe(true);
    },
  );

  it('is one: a second of its task is refused in the answer, at once', async () => {
    const goOn = holdStarts();
    const first = await provision('twin');
    const second = await provision('twin');
    expect([second.status, second.headers.get('x-error-code'), second.body]).toEqual([
      200,
      'sandbox_exists',
      {
        success: false,
        error: expect.stringMatching(/this task_id/),
        sandbox_id: null,
        sandbox_url: null,
        status: 'failed',
      },
    ]);
    goOn();
    await wait('twin');
    await destroy('twin');
    const third = await provision('twin');
    expect(third.body.success).toBe(true);
    expect(third.body.sandbox_id).not.toBe(first.body.sandbox_id);
    expect((await wait('twin')).body.ready).toBe(true);
    const { rows } = await test.storage.usage.list({}, { limit: 20 });
    expect(rows).toContainEqual(
      expect.objectContaining({ endpoint: '/sandboxes/provision', errorCode: 'sandbox_exists' }),
    );
  });

  it('is there for a task id that cannot be the name of a sandbox, too', async () => {
    expect((await provision('events')).body).toMatchObject({ success: true, error: null });
    expect((await wait('events')).body).toMatchObject({ ready: true, status: 'running' });
    expect((await destroy('events')).status).toBe(200);
  });

  it('that cannot start says why, to who waits and to who looks', async () => {
    const goOn = holdStarts();
    test.engine.failStart = new SandgateError('engine_failed', 'The machine is on fire');
    const made = await provision('doomed');
    const waiting = wait('doomed');
    goOn();
    expect((await waiting).body.ready).toBe(false);
    test.engine.failStart = null;
    await test.timers.pass();
    expect((await wait('doomed')).body).toMatchObject({
      ready: false,
      error: 'The machine is on fire',
    });
    expect((await detail(made.body.sandbox_id)).body).toMatchObject({
      error: 'The machine is on fire',
    });
  });

  it('of an image that is not there is refused in the answer', async () => {
    const made = await provision('odd', { image: 'ghcr.io/acme/agent:1' });
    expect([made.status, made.body.success]).toEqual([200, false]);
    expect(made.body.error).toMatch(/ghcr.io\/acme\/agent:1/);
    expect((await detail('odd')).status).toBe(404);
  });

  it('ends with its time to live, exactly', async () => {
    const made = await provision('brief', { ttl_seconds: 60 });
    await wait('brief');
    const endMs = Date.parse((await detail('brief')).body.created_at) + 60_000;
    expect(Date.parse(made.body.expires_at)).toBe(endMs);
    test.clock.currentMs = endMs - 1;
    test.timers.pass();
    expect((await detail('brief')).body.status).toBe('running');
    test.clock.currentMs = endMs;
    await vi.waitFor(async () => {
      test.timers.pass();
      expect((await detail('brief')).body.status).toBe('destroyed');
    }, 60_000);
    expect((await detail('brief')).body).toMatchObject({
      destroyed_at: new Date(endMs).toISOString(),
      destroy_reason: 'max_lifetime',
    });
  });

  it('may be given up before it is ready', async () => {
    const goOn = holdStarts();
    await provision('given-up');
    const destroying = destroy('given-up');
    goOn();
    expect((await destroying).body).toEqual({ success: true, error: null });
    expect((await detail('given-up')).body.status).toBe('destroyed');
  });
});

describe('a request', () => {
  it.each([
    ['provision', {}, ['body', 'task_id']],
    ['provision', { task_id: '' }, ['body', 'task_id']],
    ['provision', { task_id: 'x'.repeat(256) }, ['body', 'task_id']],
    ['provision', { task_id: 't', ttl_seconds: 59 }, ['body', 'ttl_seconds']],
    ['provision', { task_id: 't', ttl_seconds: 86_401 }, ['body', 'ttl_seconds']],
    ['provision', { task_id: 't', ttl_seconds: 60.5 }, ['body', 'ttl_seconds']],
    ['provision', { task_id: 't', image_id: 'python' }, ['body', 'image_id']],
    ['provision', { task_id: 't', env_vars: { A: 1 } }, ['body', 'env_vars', 'A']],
    ['wait', { task_id: 't', timeout: 0 }, ['body', 'timeout']],
    ['wait', { task_id: 't', timeout: 601 }, ['body', 'timeout']],
    ['wait', { task_id: 't', poll_interval: 61 }, ['body', 'poll_interval']],
    ['destroy', {}, ['body', 'task_id']],
  ] as const)('to %s with %j is 422, and says where', async (path, body, loc) => {
    const answer = await post(path, body);
    expect(answer.status).toBe(422);
    expect(answer.body.detail).toContainEqual(expect.objectContaining({ loc }));
  });

  it('with an unknown status to list, or a bad environment, is 422', async () => {
    const listed = await client.call('GET', '/sandboxes?status=odd', undefined, owner);
    expect([listed.status, listed.body.detail[0].loc]).toEqual([422, ['query', 'status']]);
    expect((await provision('t', { env_vars: { '1A': 'x' } })).status).toBe(422);
    const { text } = await test.issue();
    expect((await provision(text)).status).toBe(422);
  });

  it('about a task that nobody has is 404, or a failure that is told where one is told', async () => {
    for (const answer of [await wait('nobody'), await detail('nobody')]) {
      expect([answer.status, answer.text]).toEqual([404, '{"detail":"Sandbox not found"}']);
    }
    const { status, body } = await destroy('nobody');
    expect([status, body]).toEqual([200, { success: false, error: 'Sandbox not found' }]);
  });

  it('by a stranger is 401, and by another method 405', async () => {
    expect((await provision('t', {}, { token: null })).status).toBe(401);
    const answer = await client.call('PUT', '/sandboxes/provision', {}, owner);
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await client.call('GET', '/sandboxes/nowhere', undefined, owner)).status).toBe(404);
  });
});

describe('the workspace of a request', () => {
  it('is the one of the header, and nothing of another is found', async () => {
    const workspace = await newWorkspace();
    const made = await provision('in-team', {}, { workspace });
    await wait('in-team', { workspace });
    const stranger = await newPerson();
    const asStranger = { token: stranger.token };
    for (const answer of [
      await detail(made.body.sandbox_id, asStranger),
      await detail('in-team', asStranger),
      await wait('in-team', asStranger),
    ]) {
      expect([answer.status, answer.text]).toEqual([404, '{"detail":"Sandbox not found"}']);
    }
    expect((await destroy('in-team', asStranger)).body.success).toBe(false);
    const inHome = await client.call('GET', '/sandboxes', undefined, owner);
    expect(inHome.text).not.toContain(made.body.sandbox_id);
    const there = await client.call('GET', '/sandboxes', undefined, { ...owner, workspace });
    expect(there.body).toMatchObject({ total: 1, sandboxes: [{ id: made.body.sandbox_id }] });
    const { headers, status } = await client.call('GET', '/sandboxes', undefined, {
      ...asStranger,
      workspace,
    });
    expect([status, headers.get('x-error-code')]).toEqual([404, 'access_denied']);
  });

  it('is where the sandbox is, for who names none: at home first, and never one of several', async () => {
    const [one, other] = [await newWorkspace(), await newWorkspace()];
    const made = await provision('somewhere', {}, { workspace: one });
    expect((await wait('somewhere')).body.ready).toBe(true);
    expect((await detail('somewhere')).body.id).toBe(made.body.sandbox_id);
    expect((await detail(made.body.sandbox_id)).body.name).toBe('somewhere');
    await provision('somewhere', {}, { workspace: other });
    const ambiguous = await wait('somewhere');
    expect([ambiguous.status, ambiguous.headers.get('x-error-code')]).toEqual([
      400,
      'tenant_conflict',
    ]);
    expect((await wait('somewhere', { workspace: other })).body.ready).toBe(true);
    const atHome = await provision('somewhere');
    expect((await detail('somewhere')).body.id).toBe(atHome.body.sandbox_id);
    await wait('somewhere');
    await destroy('somewhere');
    expect((await wait('somewhere', { workspace: one })).body.ready).toBe(true);
    expect((await destroy('somewhere', { workspace: one })).body.success).toBe(true);
    expect((await destroy('somewhere')).body.success).toBe(true);
    expect((await detail('somewhere', { workspace: other })).body.status).toBe('destroyed');
  });

  it('is its own for a key, whatever is elsewhere', async () => {
    const workspace = await newWorkspace();
    await provision('not-for-keys', {}, { workspace });
    await wait('not-for-keys', { workspace });
    const { text: token } = await test.issue({ namespace: 'ops' });
    expect((await detail('not-for-keys', { token })).status).toBe(404);
    expect((await provision('of-a-key', {}, { token })).body.success).toBe(true);
    expect((await wait('of-a-key', { token })).body.ready).toBe(true);
  });
});

describe('the role table', () => {
  const runs: readonly Role[] = ['owner', 'admin', 'member'];
  it.each([
    ['POST', 'provision', { task_id: 'of-roles' }, runs],
    ['POST', 'wait', { task_id: 'of-roles' }, roles],
    ['GET', 'detail/of-roles', undefined, roles],
    ['GET', '', undefined, roles],
    ['POST', 'destroy', { task_id: 'of-roles' }, runs],
  ] as const)('holds at %s /sandboxes/%s', async (method, path, body, may) => {
    const workspace = await newWorkspace();
    await provision('of-roles', {}, { workspace });
    await wait('of-roles', { workspace });
    for (const role of roles) {
      const person = role === 'owner' ? owner : await newPerson();
      if (role !== 'owner') {
        const added = { email: person.user.email, role };
        await client.call('POST', `/workspaces/${workspace}/members`, added, owner);
      }
      const { token } = person;
      const answer = await client.call(method, `/sandboxes/${path}`, body, { token, workspace });
      expect([role, answer.status]).toEqual([
        role,
        (may as readonly Role[]).includes(role) ? 200 : 403,
      ]);
    }
  });

  it('holds for what an API token is given, and for a key of one sandbox', async () => {
    const workspace = await newWorkspace();
    await provision('mine', {}, { workspace });
    await provision('theirs', {}, { workspace });
    await wait('mine', { workspace });
    const headers = { 'x-workspace-id': workspace };
    const found = await test.api('GET', '/sandboxes?q=mine', owner.token, undefined, headers);
    const restrictions = { sandbox: found.body.sandboxes[0].id };
    const key = await test.api(
      'POST',
      '/api-keys',
      owner.token,
      { name: 'one', restrictions },
      headers,
    );
    const token = key.body.key;
    expect((await detail('mine', { token })).status).toBe(200);
    expect((await detail('theirs', { token })).status).toBe(404);
    expect((await provision('another', {}, { token })).status).toBe(403);
    const listed = await client.call('GET', '/sandboxes', undefined, { token });
    expect(listed.body.total).toBe(1);
  });
});
