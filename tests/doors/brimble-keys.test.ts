import { SandgateError, unlimitedSandboxes } from '@sandgate/core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { createBrimbleClient } from '../support/brimble-client.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;
let operator: string;

beforeAll(async () => {
  test = await createTestApp(folder, {
    policy: {
      maxSandboxes: 100,
      limitsOf: ({ slug }) =>
        slug === 'hacker'
          ? { ...unlimitedSandboxes, sandboxes: 1, volumes: 1, volumeMib: 20 * 1_024 }
          : unlimitedSandboxes,
    },
  });
  operator = (await test.issue()).text;
});

const client = (key: string | null) =>
  createBrimbleClient('', key, (url, init) => test.app.request(url, init));
const brimble = (key: string) =>
  createBrimbleClient('/brimble', key, (url, init) => test.app.request(url, init));
const account = async (method: string, path: string, credential: string, body?: unknown) =>
  await client(null).call(method, `/core/v1/api-key${path}`, body, { 'x-api-key': credential });

/** A workspace with a key of its own, and its Brimble key. */
async function makeTeam(slug: string) {
  const owner = (await test.issue({ namespace: slug })).text;
  const made = await account('POST', '/create', owner);
  const workspace = await test.storage.workspaces.findBySlug(slug);
  return { owner, key: made.data.api_key as string, id: workspace?.id ?? '' };
}

const none = "You don't have an API key, you can create one if you want to.";
const taken = 'You already have an API key, you can reset it if you want to create a new one.';

describe('the key of an account', () => {
  it('is none at first, made once, shown without its text, and reset with effect at once', async () => {
    const owner = (await test.issue({ namespace: 'keys' })).text;
    expect(await account('GET', '', owner)).toMatchObject({ status: 404, body: { message: none } });
    const early = await account('PATCH', '/reset', owner);
    expect(early).toMatchObject({ status: 404, body: { message: none } });

    const made = await account('POST', '/create', owner);
    expect(made).toMatchObject({ status: 201, body: { message: 'API key created' } });
    const first = made.data.api_key;
    expect(first).toMatch(/^bk_[0-9a-f]{48}$/);
    expect(await account('POST', '/create', owner)).toMatchObject({
      status: 409,
      body: { message: taken },
    });
    const shown = await account('GET', '', owner);
    expect(shown.data).toEqual({
      id: made.data.id,
      prefix: 'bk_',
      last_four: first.slice(-4),
      created_at: expect.any(String),
      last_used_at: null,
      quota: null,
    });
    expect((await brimble(first).call('GET', '/sandboxes')).status).toBe(200);

    const reset = await account('PATCH', '/reset', owner);
    expect(reset).toMatchObject({ status: 200, data: { id: made.data.id } });
    expect(await brimble(first).call('GET', '/sandboxes')).toMatchObject({
      status: 401,
      body: { message: 'Invalid API key' },
    });
    expect((await brimble(reset.data.api_key).call('GET', '/sandboxes')).status).toBe(200);
  });

  it('is one, also of many creates at once, and another one after it was revoked', async () => {
    const owner = (await test.issue({ namespace: 'race' })).text;
    const made = await Promise.all(
      Array.from({ length: 10 }, () => account('POST', '/create', owner)),
    );
    expect(made.map(({ status }) => status).toSorted()).toEqual([201, ...Array(9).fill(409)]);
    const { id } = made.find(({ status }) => status === 201)?.data ?? {};
    const number = (await test.storage.keys.findById(id))?.number;
    expect((await test.api('DELETE', `/api-keys/${number}`, owner)).status).toBeLessThan(300);
    expect((await account('GET', '', owner)).status).toBe(404);
    expect((await account('POST', '/create', owner)).status).toBe(201);
  });

  it('belongs to the team that is named, and to no other', async () => {
    const { owner, id, key } = await makeTeam('named');
    const { owner: stranger } = await makeTeam('other');
    expect((await account('GET', `?teamId=${id}`, operator)).data.last_four).toBe(key.slice(-4));
    const conflict = await account('POST', '/create', operator, { teamId: id });
    expect(conflict.status).toBe(409);
    for (const method of ['GET', 'POST', 'PATCH'] as const) {
      const path = { GET: '', POST: '/create', PATCH: '/reset' }[method];
      expect(await account(method, `${path}?teamId=${id}`, stranger)).toMatchObject({
        status: 404,
        body: { message: 'Team not found' },
      });
    }
    const both = await account('POST', `/create?teamId=${id}`, owner, { teamId: 'f'.repeat(24) });
    expect(both.status).toBe(400);
  });

  it('is made by those who may manage keys and have all its rights, and by no Brimble key', async () => {
    const { key } = await makeTeam('rights');
    const reader = (await test.issue({ namespace: 'rights', scopes: ['sandbox:read'] })).text;
    expect((await account('GET', '', reader)).status).toBe(403);
    const narrow = (await test.issue({ namespace: 'narrow', scopes: ['key:manage'] })).text;
    expect((await account('POST', '/create', narrow)).status).toBe(403);
    expect((await account('PATCH', '/reset', key)).status).toBe(403);
    expect((await client(key).call('PATCH', '/core/v1/api-key/reset')).status).toBe(401);
  });

  it('is refused by a plan without keys', async () => {
    const { id } = await makeTeam('free');
    const changed = await test.api('PUT', '/workspaces/free/plan', operator, { plan: 'small' });
    expect(changed.status).toBe(200);
    for (const [method, path] of [
      ['POST', '/create'],
      ['PATCH', '/reset'],
    ] as const) {
      const refused = await account(method, `${path}?teamId=${id}`, operator);
      expect(refused).toMatchObject({ status: 403, body: { code: 'plan_refused' } });
    }
  });

  it('leaves its text nowhere, and records who made it', async () => {
    const { owner, key } = await makeTeam('audited');
    await account('PATCH', '/reset', owner);
    const audit = await test.api('GET', '/audit?size=100', owner);
    expect(audit.text).toContain('key.issue');
    expect(audit.text).toContain('key.rotate');
    expect(audit.text).not.toContain(key);
  });
});

describe('the quota', () => {
  it('is of any 24 hours, survives a reset, and says exactly when to come back', async () => {
    // Nobody's child: what its maker calls counts for another.
    await test.issue({ namespace: 'quota' });
    const id = (await test.storage.workspaces.findBySlug('quota'))?.id;
    const key = (await account('POST', '/create', operator, { teamId: id })).data.api_key;
    const unlimited = (await test.issue({ limits: { quota24h: null } })).text;
    const before = test.limits.current;
    test.limits.current = { ...before, quota24h: 3 };
    try {
      expect((await account('GET', `?teamId=${id}`, unlimited)).data.quota).toBe(3);
      for (let call = 0; call < 3; call += 1) {
        expect((await brimble(key).call('GET', '/sandboxes')).status).toBe(200);
        test.clock.currentMs += 1_000;
      }
      const renewed = (await account('PATCH', '/reset', unlimited, { teamId: id })).data;
      const full = await brimble(renewed.api_key).call('GET', '/sandboxes');
      expect(full.status).toBe(429);
      expect(full.headers.get('retry-after')).toBe(String(24 * 3_600 - 3));
      test.clock.currentMs += (24 * 3_600 - 3) * 1_000;
      expect((await brimble(renewed.api_key).call('GET', '/sandboxes')).status).toBe(200);
    } finally {
      test.limits.current = before;
    }
  });
});

describe('what a key may do', () => {
  it('is bounded by its plan, in the documented words', async () => {
    const { key } = await makeTeam('hacker');
    const made = await brimble(key).call('POST', '/sandboxes', {});
    expect(made.status).toBe(201);
    expect(await brimble(key).call('POST', '/sandboxes', {})).toMatchObject({
      status: 403,
      body: { message: 'Your plan allows up to 1 sandboxes. Destroy an existing one or upgrade.' },
    });
    const volume = async (name: string, sizeGB: number) =>
      await brimble(key).call('POST', '/volumes', { name, sizeGB });
    expect(await volume('large', 30)).toMatchObject({
      status: 403,
      body: { message: 'Your plan allows volumes up to 20GB. Reduce size or upgrade.' },
    });
    expect((await volume('fits', 20)).status).toBe(201);
    expect(await volume('second', 10)).toMatchObject({
      status: 403,
      body: { message: 'Your plan allows up to 1 volumes. Delete an existing one or upgrade.' },
    });
  });

  it('is nothing with the things of others, which are not there for it', async () => {
    const [one, other] = [await makeTeam('one'), await makeTeam('two')];
    const { data } = await brimble(one.key).call('POST', '/sandboxes', {});
    const volume = await brimble(one.key).call('POST', '/volumes', { name: 'mine', sizeGB: 10 });
    const at = `/sandboxes/${data.id}`;
    for (const [method, path, body] of [
      ['GET', at],
      ['GET', `${at}/wait?timeout=1`],
      ['GET', `${at}/stats`],
      ['GET', `${at}/snapshots`],
      ['GET', `${at}/files/tmp/x`],
      ['POST', `${at}/pause`],
      ['POST', `${at}/exec`, { cmd: 'true' }],
      ['POST', `${at}/snapshots`, { name: 'x' }],
      ['PUT', `${at}/egress`, { mode: 'deny_all' }],
      ['DELETE', at],
      ['GET', `/volumes/${volume.data.id}`],
      ['DELETE', `/volumes/${volume.data.id}`],
      ['POST', '/sandboxes', { volumeId: volume.data.id }],
    ] as const) {
      expect([path, (await brimble(other.key).call(method, path, body)).status]).toEqual([
        path,
        404,
      ]);
    }
    expect((await brimble(other.key).call('GET', '/sandboxes')).data.totalCount).toBe(0);
  });

  it('is what its scopes allow, in what a call does besides, too', async () => {
    const key = (await test.issue({ namespace: 'scopes', scopes: ['sandbox:write'] })).text;
    const call = async (method: string, path: string, body?: unknown) =>
      await brimble(key).call(method, path, body);
    expect((await call('GET', '/sandboxes')).body.message).toContain('sandbox:read');
    for (const [body, scope] of [
      [{ persistent: true, persistentDiskGB: 10 }, 'volume:write'],
      [{ volumeId: 'a'.repeat(24) }, 'volume:write'],
      [{ fromSnapshot: 'a'.repeat(24) }, 'snapshot:read'],
      [{ snapshotMode: 'automatic', snapshotFrequency: '0 3 * * *' }, 'snapshot:write'],
    ] as const) {
      const { status, body: answer } = await call('POST', '/sandboxes', body);
      expect([status, answer.message]).toEqual([403, `This API key lacks the scope ${scope}`]);
    }
  });

  it('is bounded by its restrictions, in every list and path', async () => {
    const { key } = await makeTeam('restricted');
    const { data: own } = await brimble(key).call('POST', '/sandboxes', { name: 'own' });
    const { data: other } = await brimble(key).call('POST', '/sandboxes', { name: 'other' });
    const restrictions = { sandboxId: own.id };
    const bound = (await test.issue({ namespace: 'restricted', restrictions })).text;
    const list = await brimble(bound).call('GET', '/sandboxes');
    expect(list.data).toMatchObject({ totalCount: 1, data: [{ id: own.id }] });
    expect((await brimble(bound).call('GET', `/sandboxes/${other.id}`)).status).toBe(404);
    expect((await brimble(bound).call('POST', '/sandboxes', {})).status).toBe(403);
  });
});

describe('failures', () => {
  it('of a create are 503 where there is no room, and not the last word on an idempotency key', async () => {
    const { key } = await makeTeam('crowded');
    const once = { 'idempotency-key': 'try-until-there-is-room' };
    test.engine.failStart = new SandgateError('engine_failed', 'There is no room');
    expect((await brimble(key).call('POST', '/sandboxes', {}, once)).status).toBe(503);
    test.engine.failStart = null;
    const made = await brimble(key).call('POST', '/sandboxes', {}, once);
    const again = await brimble(key).call('POST', '/sandboxes', {}, once);
    expect([made.status, again.status]).toEqual([201, 201]);
    expect(again.text).toBe(made.text);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
  });

  it('to keep the answer of an idempotency key leave the request done, and done once', async () => {
    const { key } = await makeTeam('forgetful');
    const once = { 'idempotency-key': 'answer-that-is-not-stored' };
    const finish = vi.spyOn(test.storage.idempotency, 'finish');
    finish.mockRejectedValueOnce(new Error('The disk is full.'));
    const made = await brimble(key).call('POST', '/sandboxes', {}, once);
    const again = await brimble(key).call('POST', '/sandboxes', {}, once);
    finish.mockRestore();
    expect([made.status, again.status, again.text]).toEqual([201, 201, made.text]);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
  });

  it('of a file put are none that a client tries again with an empty body', async () => {
    const { key } = await makeTeam('files');
    const { data } = await brimble(key).call('POST', '/sandboxes', {});
    for (const code of ['engine_failed', 'storage_unavailable', 'internal'] as const) {
      const broken = vi
        .spyOn(test.sandboxes, 'files')
        .mockRejectedValue(new SandgateError(code, 'It broke'));
      const response = await test.app.request(`/brimble/sandboxes/${data.id}/files/tmp/x`, {
        method: 'PUT',
        headers: brimble(key).headers(),
        body: 'x',
      });
      broken.mockRestore();
      expect([code, response.status]).toEqual([code, 409]);
    }
  });

  it('of a stream after its begin are its last event', async () => {
    const { key } = await makeTeam('streams');
    const { data } = await brimble(key).call('POST', '/sandboxes', {});
    const usual = test.engine.onExec;
    test.engine.onExec = async (request) => {
      request.onStarted?.({ signal: () => undefined });
      await request.onOutput({ stream: 'stdout', data: Buffer.from('half') });
      return { kind: 'sandbox_ended' };
    };
    const path = `/sandboxes/${data.id}/exec`;
    const { status, text } = await brimble(key).call('POST', path, { cmd: 'x', stream: true });
    const plain = await brimble(key).call('POST', path, { cmd: 'x' });
    test.engine.onExec = usual;
    expect(status).toBe(200);
    expect(text.split('\n\n').slice(-3)).toEqual([
      'data: {"type":"stdout","data":"half"}',
      'data: {"type":"error","message":"Sandbox ended while the call ran"}',
      '',
    ]);
    expect(plain).toMatchObject({
      status: 400,
      body: { message: 'Sandbox ended while the call ran' },
    });
  });
});

it('waits for 25 seconds at most, whatever a client asks for', async () => {
  const { key } = await makeTeam('patient');
  const { data } = await brimble(key).call('POST', '/sandboxes', {});
  const wait = vi.spyOn(test.sandboxes, 'wait');
  for (const [query, timeoutMs] of [
    ['?timeout=60', 25_000],
    ['', 25_000],
    ['?timeout=5', 5_000],
  ] as const) {
    await brimble(key).call('GET', `/sandboxes/${data.id}/wait${query}`);
    expect(wait.mock.lastCall?.[2]).toMatchObject({ states: ['ready', 'failed'], timeoutMs });
  }
  wait.mockRestore();
  const tooLong = await brimble(key).call('GET', `/sandboxes/${data.id}/wait?timeout=61`);
  expect(tooLong.status).toBe(400);
});

it('shows a sandbox that was stopped as paused, and starts it when it is resumed', async () => {
  const { key, id } = await makeTeam('stopped');
  const { data } = await brimble(key).call('POST', '/sandboxes', {});
  const workspace = await test.storage.workspaces.findById(id);
  if (workspace === null) throw new Error('There is no such workspace.');
  await test.sandboxes.stop(workspace, data.id);
  const at = `/sandboxes/${data.id}`;
  expect((await brimble(key).call('GET', at)).data).toMatchObject({
    status: 'paused',
    paused_at: expect.any(String),
  });
  expect((await brimble(key).call('POST', `${at}/resume`)).status).toBe(200);
  expect((await brimble(key).call('GET', at)).data).toMatchObject({
    status: 'ready',
    paused_at: null,
  });
  expect(await brimble(key).call('POST', `${at}/resume`)).toMatchObject({
    status: 400,
    body: { message: 'Sandbox is ready; only paused sandboxes can be resumed' },
  });
});
