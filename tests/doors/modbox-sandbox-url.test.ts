import { createUser, isOwnCredential } from '@sandgate/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { modboxClient } from '../support/modbox-client.ts';
import { storedState } from '../support/stored-state.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
const secret = 'a-secret-of-mine';
let test: TestApp;
let client: ReturnType<typeof modboxClient>;
let token: string;

beforeAll(async () => {
  test = await createTestApp(folder, {
    policy: { maxSandboxes: 100 },
    sandboxUrls: { publicUrl: null, wildcardUrl: 'https://*.box.example' },
  });
  client = modboxClient(test);
  const password = 'correct horse battery';
  const user = await createUser(
    { ...test.keyDependencies, hasher: test.people.hasher },
    { email: 'you@example.com', password },
  );
  token = (await client.tokens(user.email, password)).access_token;
});

interface Box {
  readonly task: string;
  /** Of the path form. */
  readonly url: string;
  /** Of the sandbox at Sandgate's other doors. */
  readonly id: string;
}

async function newBox(
  task: string,
  fields: object = { env_vars: { SANDBOX_API_KEY: secret } },
  by = token,
): Promise<Box> {
  const made = await client.call(
    'POST',
    '/sandboxes/provision',
    { task_id: task, ...fields },
    { token: by },
  );
  expect(made.body).toMatchObject({ success: true });
  const id = new URL(made.body.sandbox_url).hostname.split('.')[0] ?? '';
  expect(made.body.sandbox_url).toBe(`https://${id}.box.example`);
  await client.call('POST', '/sandboxes/wait', { task_id: task }, { token: by });
  return { task, id, url: `/modbox/s/${made.body.sandbox_id}` };
}

const call = (method: string, url: string, body?: unknown, credential: string | null = secret) =>
  client.call(method, url, body, { token: credential });
const exec = ({ url }: Box, credential: string | null = secret) =>
  call('POST', `${url}/modbox/api/exec`, { command: 'true' }, credential);

describe('the secret of a sandbox', () => {
  it('opens its own URL and no other, and ends with it', async () => {
    const [mine, other] = [await newBox('mine'), await newBox('other')];
    expect((await exec(mine)).status).toBe(200);
    expect((await exec(mine, 'a-secret-of-others')).status).toBe(401);
    expect((await exec(mine, null)).status).toBe(401);
    const third = await newBox('third', { env_vars: { SANDBOX_API_KEY: 'another-secret' } });
    expect((await exec(third)).status).toBe(401);
    expect((await call('GET', '/sandboxes')).status).toBe(401);
    await client.call('POST', '/sandboxes/destroy', { task_id: 'mine' }, { token });
    expect((await exec(mine)).status).toBe(401);
    expect((await exec(other)).status).toBe(200);
  });

  it('is given to programs, and is nowhere in clear', async () => {
    await newBox('quiet', { env_vars: { SANDBOX_API_KEY: 'never-to-be-seen', OTHER: 'x' } });
    const spec = test.engine.started.at(-1);
    expect(spec?.environment).toEqual({ SANDBOX_API_KEY: 'never-to-be-seen', OTHER: 'x' });
    expect(storedState(folder)).not.toContain('never-to-be-seen');
    const shown = await client.call('GET', '/sandboxes/detail/quiet', undefined, { token });
    expect(shown.text).not.toContain('never-to-be-seen');
  });

  it('is there again at the next start, and in no sandbox made of a snapshot', async () => {
    const box = await newBox('again');
    const workspace = await workspaceOf(box);
    await test.sandboxes.createSnapshot(workspace, box.id, { name: 'before' });
    await test.sandboxes.stop(workspace, box.id);
    await test.sandboxes.start(workspace, box.id, null);
    expect(test.engine.started.at(-1)?.environment).toEqual({ SANDBOX_API_KEY: secret });
    expect((await exec(box)).status).toBe(200);
    const { items } = await test.sandboxes.listSnapshots(workspace, {}, { limit: 1 });
    await test.sandboxes.create(workspace, { name: 'copy', fromSnapshot: items[0]?.id ?? '' });
    expect(test.engine.started.at(-1)?.environment).toEqual({});
  });

  it('is an ordinary key, which can be listed and revoked, and dies with who made it', async () => {
    const parent = await test.issue({ namespace: 'team', scopes: ['sandbox:write', 'file:read'] });
    const box = await newBox('child', undefined, parent.text);
    expect((await exec(box)).status).toBe(403);
    const list = () => call('GET', `${box.url}/modbox/api/files`);
    expect((await list()).body).toEqual({ files: [] });
    const keys = await test.storage.keys.list({});
    const key = keys.find(({ name }) => name === 'child');
    expect(key).toMatchObject({
      parentNumber: parent.key.number,
      scopes: ['file:read'],
      restrictions: { sandboxId: box.id },
      prefix: 'mbx_',
    });
    await test.storage.keys.revoke(parent.key.id, test.clock.nowMs());
    expect((await list()).status).toBe(401);
  });

  it.each([
    ['short', 'must have 8 to 512 characters'],
    ['with spaces in it', 'must be of printable ASCII characters without spaces'],
    ['eyJhbGciOiJFZERTQSJ9.e30.x', 'must not be an API key or access token'],
  ])('is not %s', async (chosen, problem) => {
    const body = { task_id: 'refused', env_vars: { SANDBOX_API_KEY: chosen } };
    const refused = await client.call('POST', '/sandboxes/provision', body, { token });
    expect(refused.status).toBe(422);
    expect(refused.text).toContain(problem);
    const { text } = await test.issue();
    expect(isOwnCredential(text)).toBe(true);
    const withKey = { task_id: 'refused', env_vars: { SANDBOX_API_KEY: text } };
    expect((await client.call('POST', '/sandboxes/provision', withKey, { token })).status).toBe(
      422,
    );
    const shown = await client.call('GET', '/sandboxes/detail/refused', undefined, { token });
    expect(shown.status).toBe(404);
  });

  it('needs a right that its maker has', async () => {
    const { text } = await test.issue({ namespace: 'team', scopes: ['sandbox:write'] });
    const body = { task_id: 'powerless', env_vars: { SANDBOX_API_KEY: secret } };
    const refused = await client.call('POST', '/sandboxes/provision', body, { token: text });
    expect([refused.status, refused.headers.get('x-error-code')]).toEqual([403, 'scope_missing']);
  });
});

async function workspaceOf({ id }: Box) {
  const sandbox = await test.storage.sandboxes.findById(id);
  const workspace = await test.storage.workspaces.findById(sandbox?.workspaceId ?? '');
  if (workspace === null) throw new Error('There is no such workspace.');
  return workspace;
}

describe('the URL of a sandbox', () => {
  it('opens to keys and people of its workspace by their rights, and tells nobody else of it', async () => {
    const box = await newBox('by-rights', {});
    expect((await exec(box)).status).toBe(401);
    expect((await exec(box, token)).status).toBe(200);
    const stranger = await test.issue({ namespace: 'elsewhere' });
    const unknown = { ...box, url: '/modbox/s/00000000-0000-8000-8000-000000000000' };
    for (const each of [box, unknown]) {
      const { status, text } = await exec(each, stranger.text);
      expect([status, text]).toEqual([404, '{"detail":"Sandbox not found"}']);
      expect((await exec(each, null)).status).toBe(401);
    }
    const { slug } = await workspaceOf(box);
    const reader = await test.issue({ namespace: slug, scopes: ['file:read'] });
    expect((await exec(box, reader.text)).status).toBe(403);
    expect((await call('GET', `${box.url}/modbox/api/files`, undefined, reader.text)).status).toBe(
      200,
    );
    expect((await call('GET', `${box.url}/ports/80/`, undefined, reader.text)).status).toBe(403);
  });

  it('runs commands, in the documented words', async () => {
    const box = await newBox('exec');
    test.engine.onExec = async ({ argv, onOutput, environment, cwd, timeoutMs }) => {
      const said = JSON.stringify({ command: argv.at(-1), environment, cwd, timeoutMs });
      await onOutput({ stream: 'stdout', data: Buffer.from(said) });
      await onOutput({ stream: 'stderr', data: Buffer.from('careful') });
      return { kind: 'exited', exitCode: 3 };
    };
    const fields = { command: 'echo hi', cwd: '/tmp', env: { A: 'b' }, timeoutMs: 50 };
    const ran = await call('POST', `${box.url}/modbox/api/exec`, fields);
    const { command, env, ...rest } = fields;
    expect(ran.body).toEqual({
      exitCode: 3,
      stdout: JSON.stringify({ command, environment: env, ...rest }),
      stderr: 'careful',
      durationMs: expect.any(Number),
      timedOut: false,
      truncated: false,
    });
    test.engine.onExec = async () => ({ kind: 'timed_out' });
    expect((await exec(box)).body).toMatchObject({ exitCode: 124, timedOut: true });
    test.engine.onExec = async () => ({ kind: 'exited', exitCode: 0 });
    const wrong = await call('POST', `${box.url}/modbox/api/exec`, {});
    expect([wrong.status, wrong.body.detail[0].loc]).toEqual([422, ['body', 'command']]);
    const { rows } = await test.storage.usage.list({}, { limit: 10 });
    expect(rows).toContainEqual(
      expect.objectContaining({
        endpoint: '/modbox/s/{sandbox_id}/modbox/api/exec',
        sandboxId: box.id,
        status: 200,
      }),
    );
  });

  it('takes, lists, gives and removes files', async () => {
    const box = await newBox('files');
    const files = `${box.url}/modbox/api/files`;
    const upload = async (name: string, content: string, field = 'file', type?: string) => {
      const form = new FormData();
      form.set(field, new Blob([content]), name);
      const response = await test.app.request(`${files}/upload`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${secret}`,
          ...(type === undefined ? {} : { 'content-type': type }),
        },
        body: form,
      });
      return { status: response.status, body: await response.json() };
    };
    const path = '/workspace/uploads/a report.txt';
    expect((await upload('a report.txt', 'some data')).body).toEqual({
      success: true,
      filename: 'a report.txt',
      path,
      size: 9,
    });
    expect((await call('GET', files)).body).toEqual({
      files: [{ name: 'a report.txt', path, size: 9, modifiedAt: expect.any(String) }],
    });
    const got = await call('GET', `${files}/a%20report.txt`);
    expect([got.text, got.headers.get('content-disposition')]).toEqual(['some data', 'attachment']);
    expect((await call('DELETE', `${files}/a%20report.txt`)).body).toEqual({ success: true });
    expect((await call('GET', `${files}/a%20report.txt`)).status).toBe(404);
    for (const name of ['..%2f..%2fetc%2fpasswd', '..', '%00']) {
      const answer = await call('GET', `${files}/${name}`);
      expect([404, 422]).toContain(answer.status);
    }
    expect((await upload('x', 'data', 'other')).status).toBe(422);
    expect((await upload('x', 'data', 'file', 'text/plain')).status).toBe(415);
    for (const boundary of ['boundary=y', 'boundary=', 'boundary=""', 'xboundary=y']) {
      const type = `multipart/form-data; ${boundary}`;
      expect([type, (await upload('x', 'data', 'file', type)).status]).toEqual([type, 422]);
    }
    expect((await upload('big', 'x'.repeat(50 * 1024 * 1024 + 1))).status).toBe(413);
    expect((await call('GET', `${files}/big`)).status).toBe(404);
  });

  it('has nothing at other addresses of its API, whatever the sandbox serves', async () => {
    const box = await newBox('api');
    expect((await call('GET', `${box.url}/modbox/api/other`)).status).toBe(404);
    const answer = await call('GET', `${box.url}/modbox/api/exec`);
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await call('GET', `${box.url}/ports/0/`)).status).toBe(422);
    expect((await call('GET', `${box.url}/ports/1/`)).status).toBe(502);
  });
});

describe('the host name of a sandbox', () => {
  const at = (
    host: string,
    path: string,
    headers: Readonly<Record<string, string>> = { authorization: `Bearer ${secret}` },
  ) => test.app.request(`https://${host}.box.example${path}`, { headers });

  it('is its alone: no door of the server answers there', async () => {
    const { id } = await newBox('hosted');
    for (const path of ['/api/v1/health', '/sandboxes', '/auth/me', '/.well-known/jwks.json']) {
      expect((await at(id, path, {})).status).toBe(401);
    }
    expect((await at(id, '/modbox/api/files')).status).toBe(200);
    expect((await at(`1-${id}`, '/modbox/api/files')).status).toBe(502);
    expect((await at('api', '/api/v1/health', {})).status).toBe(200);
  });

  it('takes the secret as a password, from its own pages and from no others', async () => {
    const box = await newBox('password');
    const basic = `Basic ${Buffer.from(`anybody:${secret}`).toString('base64')}`;
    const own = await at(box.id, '/modbox/api/files', { authorization: basic });
    expect(own.status).toBe(200);
    const foreign = { authorization: basic, 'sec-fetch-site': 'cross-site' };
    expect((await at(box.id, '/modbox/api/files', foreign)).status).toBe(403);
    const withOrigin = async (origin: string) =>
      (await at(box.id, '/modbox/api/files', { authorization: basic, origin })).status;
    expect(await withOrigin(`https://${box.id}.box.example:8443`)).toBe(200);
    expect(await withOrigin('https://evil.box.example')).toBe(403);
    expect(await withOrigin('null')).toBe(403);
    const byPath = { headers: { authorization: basic } };
    expect((await test.app.request(`${box.url}/modbox/api/files`, byPath)).status).toBe(401);
    const asked = await at(box.id, '/', { accept: 'text/html' });
    expect(asked.headers.get('www-authenticate')).toContain('Basic realm="sandbox"');
  });
});
