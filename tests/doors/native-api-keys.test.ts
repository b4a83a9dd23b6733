import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;
let operator: string;
let alpha: string;
let beta: string;

beforeAll(async () => {
  test = await createTestApp(folder);
  operator = (await test.issue({ name: 'operator' })).text;
  alpha = (await test.issue({ namespace: 'team-alpha' })).text;
  beta = (await test.issue({ namespace: 'team-beta' })).text;
});

const create = async (body: Record<string, unknown> = {}, key = alpha) => {
  const answer = await test.api('POST', '/api-keys', key, { name: 'made', ...body });
  expect(answer.text).toContain('"key"');
  return answer.body;
};
const works = async (key: string) => (await test.api('GET', '/me', key)).status;

describe('POST /api/v1/api-keys', () => {
  it('answers the documented fields, with the text of the key', async () => {
    const { status, body, headers } = await test.api('POST', '/api-keys', alpha, {
      name: 'My API Key',
      description: 'API key for my application',
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id: expect.any(Number),
      name: 'My API Key',
      description: 'API key for my application',
      key: expect.stringMatching(/^msb_[0-9a-f]{48}$/),
      is_active: true,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      last_used: null,
      usage_count: 0,
    });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(await works(body.key)).toBe(200);
  });

  it('takes scopes, expiry, addresses, limits and notes', async () => {
    const body = await create({
      scopes: ['usage:read', 'key:read', 'usage:read'],
      expires_in: '7d',
      ip_allow_list: ['10.0.0.0/8', '::1'],
      limits: { minute: 5, day: null },
      metadata: { team: { name: 'grün' } },
    });
    expect(body).toMatchObject({
      scopes: ['usage:read', 'key:read'],
      expires_at: new Date(test.clock.currentMs + 7 * 86_400_000)
        .toISOString()
        .replace('.000Z', 'Z'),
      ip_allow_list: ['10.0.0.0/8', '::1'],
      limits: { minute: 5, hour: null, day: null, quota_24h: null },
      metadata: { team: { name: 'grün' } },
      workspace: 'team-alpha',
    });
  });

  it.each([
    [{}, ['name: ']],
    [{ name: '' }, ['name: ']],
    [{ name: 'x'.repeat(101) }, ['name: ']],
    [
      { name: 5, description: 7, color: 'red' },
      ['name: ', 'description: ', 'color: unknown field'],
    ],
    [{ name: 'a', scopes: [] }, ['scopes: ']],
    [{ name: 'a', scopes: ['all'] }, ['scopes.0: must be one of: sandbox:read, ']],
    [{}, ['name: is missing']],
    [[], ['the body: must be an object']],
    [{ name: 7 }, ['name: must be a string']],
    [{ name: 'x'.repeat(101) }, ['name: must have at most 100 characters']],
    [{ name: 'a', ip_allow_list: '10.0.0.1' }, ['ip_allow_list: must be a list']],
    [{ name: 'a', limits: { hour: 'x' } }, ['limits.hour: must be a number']],
    [{ name: 'a', limits: { day: 1.5 } }, ['limits.day: must be a whole number']],
    [{ name: 'a', expires_in: 'soon' }, ['expires_in: ', '30s, 15m']],
    [{ name: 'a', expires_in: '1h', expires_at: '2030-01-01T00:00:00Z' }, ['not both']],
    [{ name: 'a', expires_at: 'tomorrow' }, ['expires_at: ']],
    [{ name: 'a', ip_allow_list: ['10.0.0.0/99'] }, ['ip_allow_list.0: ']],
    [{ name: 'a', limits: { minute: 0 } }, ['limits.minute: must be at least 1']],
    [{ name: 'a', limits: { second: 1 } }, ['limits.second: unknown field']],
    [{ name: 'a', metadata: { long: 'x'.repeat(5_000) } }, ['metadata: ']],
    [{ name: 'a', metadata: [] }, ['metadata: must be an object']],
    [{ name: 'a', key: 'mine' }, ['key: unknown field']],
    [{ name: 'a', is_active: true }, ['is_active: unknown field']],
  ])('refuses %j and names every violation', async (body, parts) => {
    const answer = await test.api('POST', '/api-keys', alpha, body);
    expect(answer.status).toBe(400);
    expect(Object.keys(answer.body)).toEqual(['detail']);
    for (const part of parts) expect(answer.body.detail).toContain(part);
  });

  it('refuses a key where it would be stored, without repeating it', async () => {
    for (const body of [
      { name: alpha },
      { name: 'a', description: `x ${alpha}` },
      { name: 'a', metadata: { k: alpha } },
    ]) {
      const answer = await test.api('POST', '/api-keys', alpha, body);
      expect([answer.status, answer.text.includes(alpha)]).toEqual([400, false]);
    }
  });

  it.each([
    ['{', 400, {}],
    ['', 400, {}],
    ['', 415, { 'content-type': 'text/plain' }],
    ['{"name":"a"}', 415, { 'content-type': 'application/x-www-form-urlencoded' }],
    [`{"name":"${'x'.repeat(70_000)}"}`, 413, {}],
    [`{"name":"a","metadata":{"deep":${'['.repeat(20_000)}${']'.repeat(20_000)}}}`, 400, {}],
  ])('refuses the body %.20s with %i', async (body, status, headers) => {
    expect((await test.api('POST', '/api-keys', alpha, body, headers)).status).toBe(status);
  });

  it('by a key of all workspaces makes the key in the workspace that is named, else in default', async () => {
    expect(await create({}, operator)).toMatchObject({ workspace: 'default', parent_id: null });
    expect(await create({ workspace: 'brand-new' }, operator)).toMatchObject({
      workspace: 'brand-new',
      scopes: ['*'],
    });
  });

  it('by a key of one workspace makes keys of that workspace alone', async () => {
    expect(await create({ workspace: 'team-alpha' })).toMatchObject({ workspace: 'team-alpha' });
    for (const workspace of ['team-beta', 'nowhere', 'default']) {
      const { status, body } = await test.api('POST', '/api-keys', alpha, { name: 'a', workspace });
      expect([status, body.detail]).toEqual([403, 'This API key has no access to that workspace']);
    }
  });
});

describe('a child key', () => {
  it('gets what its parent has, and names it', async () => {
    const parent = await create({
      scopes: ['key:manage', 'usage:read'],
      expires_in: '1d',
      ip_allow_list: ['0.0.0.0/0', '::/0'],
      limits: { minute: 50 },
    });
    // A test's requests come from no address, which no list allows.
    await test.storage.keys.update(parent.uid, { addressAllowList: [] }, 1);
    const child = await create({}, parent.key);
    expect(child).toMatchObject({
      parent_id: parent.id,
      scopes: ['key:manage', 'usage:read'],
      expires_at: parent.expires_at,
      limits: parent.limits,
    });
  });

  it.each([
    [{ scopes: ['*'] }, 'the scopes *'],
    [{ scopes: ['audit:read'] }, 'the scopes audit:read'],
    [{ expires_at: null }, 'a later expiry'],
    [{ expires_in: '2d' }, 'a later expiry'],
    [{ limits: { minute: 51 } }, 'a higher limit (minute)'],
    [{ limits: { minute: null } }, 'a higher limit (minute)'],
  ])('never gets more than its parent: %j', async (body, part) => {
    const parent = await create({
      scopes: ['key:manage'],
      expires_in: '1d',
      limits: { minute: 50 },
    });
    const answer = await test.api('POST', '/api-keys', parent.key, { name: 'a', ...body });
    expect([answer.status, answer.body.detail]).toEqual([403, expect.stringContaining(part)]);
    const byOther = await test.api('POST', `/api-keys/${parent.id}/children`, alpha, {
      name: 'a',
      ...body,
    });
    expect([byOther.status, byOther.body.detail]).toEqual([403, expect.stringContaining(part)]);
  });

  it('is bounded by its parent and by whoever asks for it', async () => {
    const wide = await create({ scopes: ['key:manage', 'audit:read'] });
    const narrow = await create({ scopes: ['key:manage', 'usage:read'] });
    const path = `/api-keys/${wide.id}/children`;
    expect((await test.api('POST', path, narrow.key, { name: 'a' })).body).toMatchObject({
      scopes: ['key:manage'],
      parent_id: wide.id,
    });
    for (const scope of ['audit:read', 'usage:read']) {
      const { status } = await test.api('POST', path, narrow.key, { name: 'a', scopes: [scope] });
      expect(status).toBe(403);
    }
  });

  it('dies with its parent, and so do its own children', async () => {
    const parent = await create();
    const child = await create({}, parent.key);
    const grandchild = await create({}, child.key);
    expect(await works(grandchild.key)).toBe(200);
    await test.api('DELETE', `/api-keys/${parent.id}`, alpha);
    expect([await works(child.key), await works(grandchild.key)]).toEqual([401, 401]);
  });

  it('is as inactive, as narrow and as expired as its parent is made later', async () => {
    const parent = await create();
    const child = await create({}, parent.key);
    await test.api('PUT', `/api-keys/${parent.id}`, alpha, { is_active: false });
    expect(await works(child.key)).toBe(403);
    await test.api('PUT', `/api-keys/${parent.id}`, alpha, {
      is_active: true,
      scopes: ['key:read'],
    });
    expect((await test.api('GET', '/me', child.key)).body.scopes).toEqual(['key:read']);
    expect((await test.api('GET', '/usage', child.key)).status).toBe(403);
    await test.api('PUT', `/api-keys/${parent.id}`, alpha, { expires_at: '2001-01-01T00:00:00Z' });
    expect(await works(child.key)).toBe(401);
  });
});

describe('GET /api/v1/api-keys', () => {
  let own: TestApp;
  let key: string;
  beforeAll(async () => {
    own = await createTestApp(folder);
    key = (await own.issue({ namespace: 'pages', name: 'first' })).text;
    for (let index = 2; index <= 12; index += 1)
      await own.issue({ namespace: 'pages', name: `key ${index}` });
    await own.issue({ namespace: 'other', name: 'hidden' });
  });
  const ids = (body: { api_keys: { id: number }[] }) => body.api_keys.map(({ id }) => id);

  it('answers ten keys a page, with the documented fields and no text of a key', async () => {
    const { status, body, text } = await own.api('GET', '/api-keys', key);
    expect(status).toBe(200);
    expect(body).toMatchObject({ total: 12, page: 1, size: 10 });
    expect(body.api_keys).toHaveLength(10);
    expect(body.api_keys[0]).toMatchObject({
      id: 1,
      name: 'first',
      is_active: true,
      usage_count: expect.any(Number),
    });
    expect(text).not.toMatch(/msb_[0-9a-f]{48}|"key"/);
  });

  it('pages by page and size, or by cursor, over the same keys', async () => {
    expect(ids((await own.api('GET', '/api-keys?page=2&size=5', key)).body)).toEqual([
      6, 7, 8, 9, 10,
    ]);
    expect(ids((await own.api('GET', '/api-keys?page=99', key)).body)).toEqual([]);
    const seen: number[] = [];
    for (let cursor: number | null = 0; cursor !== null; ) {
      const { body } = await own.api('GET', `/api-keys?size=5&cursor=${cursor}`, key);
      seen.push(...ids(body));
      cursor = body.next_cursor;
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  it('finds by text and by state', async () => {
    expect(ids((await own.api('GET', '/api-keys?q=KEY%201', key)).body)).toEqual([10, 11, 12]);
    const gone = await own.issue({ namespace: 'pages', name: 'gone' });
    await own.api('DELETE', `/api-keys/${gone.key.number}`, key);
    expect((await own.api('GET', '/api-keys', key)).body.total).toBe(12);
    expect(ids((await own.api('GET', '/api-keys?state=revoked', key)).body)).toEqual([
      gone.key.number,
    ]);
  });

  it.each([
    'page=0',
    'size=0',
    'size=101',
    'page=x',
    'size=1&size=2',
    'order=name',
    'state=dead',
    'page=2&cursor=1',
  ])('refuses ?%s', async (query) => {
    expect((await own.api('GET', `/api-keys?${query}`, key)).status).toBe(400);
  });

  it('by a key of all workspaces shows all of them, or one', async () => {
    const all = (await own.issue()).text;
    expect((await own.api('GET', '/api-keys?size=100', all)).body.total).toBe(14);
    expect((await own.api('GET', '/api-keys?workspace=other', all)).body.total).toBe(1);
    const header = { 'x-workspace-id': 'other' };
    expect((await own.api('GET', '/api-keys', all, undefined, header)).body.total).toBe(1);
    const other = await own.storage.workspaces.findBySlug('other');
    for (const id of [other?.id, other?.uuid]) {
      const { body } = await own.api('GET', '/api-keys', all, undefined, {
        'x-workspace-id': `${id}`,
      });
      expect(body.total).toBe(1);
    }
    const conflict = await own.api('GET', '/api-keys?workspace=pages', all, undefined, header);
    expect([conflict.status, conflict.headers.get('x-error-code')]).toEqual([
      400,
      'tenant_conflict',
    ]);
  });
});

describe('GET /api/v1/api-keys/{id}', () => {
  it('shows a key by number and by 24-hex id, with its latest requests', async () => {
    const { id, uid, key } = await create();
    await test.api('GET', '/me', key);
    await test.api('GET', '/audit-nothing', key);
    const { status, body, text } = await test.api('GET', `/api-keys/${id}`, alpha);
    expect(status).toBe(200);
    expect(body).toMatchObject({ id, uid });
    expect(body.usage).toMatchObject([{ endpoint: '/api/v1/me', method: 'GET', status_code: 200 }]);
    expect(body.usage[0].response_time).toBeGreaterThanOrEqual(0);
    expect(body.usage[0].response_time).toBeLessThan(5);
    expect(text).not.toContain(key);
    expect((await test.api('GET', `/api-keys/${uid}`, alpha)).body.id).toBe(id);
  });

  it.each(['0', '999999', '-1', 'abc', '1.5', '%20', 'f'.repeat(24), '9'.repeat(30)])(
    'answers 404 for %s',
    async (id) => {
      const { status, body } = await test.api('GET', `/api-keys/${id}`, alpha);
      expect([status, body]).toEqual([404, { detail: 'API key not found' }]);
    },
  );

  it('answers keys of others and keys that are not there alike', async () => {
    const theirs = await create({}, beta);
    for (const id of [theirs.id, theirs.uid, 1, 999_999]) {
      for (const [method, path, body] of [
        ['GET', '', undefined],
        ['PUT', '', { name: 'mine now' }],
        ['DELETE', '', undefined],
        ['POST', '/rotate', {}],
        ['POST', '/revoke', undefined],
        ['POST', '/disable', undefined],
        ['POST', '/enable', undefined],
        ['POST', '/children', { name: 'a' }],
      ] as const) {
        const answer = await test.api(method, `/api-keys/${id}${path}`, alpha, body);
        expect([answer.status, answer.body]).toEqual([404, { detail: 'API key not found' }]);
      }
    }
    expect(await works(theirs.key)).toBe(200);
  });
});

describe('PUT /api/v1/api-keys/{id}', () => {
  it('changes what is given, and nothing else', async () => {
    const made = await create({ description: 'before', metadata: { a: 1 } });
    const { status, body } = await test.api('PUT', `/api-keys/${made.id}`, alpha, {
      name: 'Updated API Key',
      description: 'Updated description',
      is_active: true,
    });
    const { key: _, ...item } = made;
    expect([status, body]).toEqual([
      200,
      { ...item, name: 'Updated API Key', description: 'Updated description' },
    ]);
    expect((await test.api('PUT', `/api-keys/${made.id}`, alpha, {})).body).toEqual(body);
  });

  it('switches a key off and on again, as documented', async () => {
    const { id, key } = await create();
    expect(
      (await test.api('PUT', `/api-keys/${id}`, alpha, { is_active: false })).body.is_active,
    ).toBe(false);
    const refused = await test.api('GET', '/me', key);
    expect([refused.status, refused.body]).toEqual([403, { detail: 'API key is inactive' }]);
    await test.api('POST', `/api-keys/${id}/enable`, alpha);
    expect(await works(key)).toBe(200);
    await test.api('POST', `/api-keys/${id}/disable`, alpha);
    expect(await works(key)).toBe(403);
  });

  it('lets nobody give a key more than they have themselves', async () => {
    const wide = await create();
    const narrow = await create({ scopes: ['key:manage'], limits: { hour: 9 } });
    for (const body of [
      { scopes: ['*'] },
      { limits: {} },
      { limits: { hour: 10 } },
      { is_active: true },
    ]) {
      expect((await test.api('PUT', `/api-keys/${wide.id}`, narrow.key, body)).status).toBe(403);
    }
    expect((await test.api('POST', `/api-keys/${wide.id}/rotate`, narrow.key, {})).status).toBe(
      403,
    );
    expect((await test.api('POST', `/api-keys/${wide.id}/enable`, narrow.key)).status).toBe(403);
    expect(
      (await test.api('PUT', `/api-keys/${narrow.id}`, narrow.key, { scopes: ['*'] })).status,
    ).toBe(403);
    expect((await test.api('PUT', `/api-keys/${wide.id}`, narrow.key, { name: 'ok' })).status).toBe(
      200,
    );
  });

  it('puts limits back to those of the plan that are left out', async () => {
    const { id } = await create({ limits: { minute: 3, hour: 4 } });
    const { body } = await test.api('PUT', `/api-keys/${id}`, alpha, { limits: { hour: 5 } });
    expect(body.limits).toEqual({ minute: null, hour: 5, day: null, quota_24h: null });
  });
});

describe('DELETE and revoke', () => {
  it('answer as documented, end the key at once, and hide it', async () => {
    const { id, uid, key } = await create();
    const answer = await test.api('DELETE', `/api-keys/${id}`, alpha);
    expect([answer.status, answer.body]).toEqual([
      200,
      { message: 'API key deleted successfully' },
    ]);
    const refused = await test.api('GET', '/me', key);
    expect([refused.status, refused.body]).toEqual([401, { detail: 'Invalid API key' }]);
    for (const method of ['GET', 'DELETE'] as const) {
      expect((await test.api(method, `/api-keys/${uid}`, alpha)).status).toBe(404);
    }
    const again = await test.api('POST', `/api-keys/${id}/revoke`, alpha);
    expect([again.status, again.body.state, again.body.is_active]).toEqual([200, 'revoked', false]);
  });
});

describe('POST /api/v1/api-keys/{id}/rotate', () => {
  it('gives a new text on the same key, and ends the old one at once', async () => {
    const made = await create({ limits: { minute: 30 } });
    const { status, body } = await test.api('POST', `/api-keys/${made.id}/rotate`, alpha);
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: made.id, uid: made.uid, limits: made.limits });
    expect(body.key).not.toBe(made.key);
    expect([await works(made.key), await works(body.key)]).toEqual([401, 200]);
  });

  it('keeps the old text for an overlap, to the millisecond', async () => {
    const made = await create();
    const { body } = await test.api('POST', `/api-keys/${made.id}/rotate`, alpha, {
      overlap: '30s',
    });
    test.clock.currentMs += 29_999;
    expect([await works(made.key), await works(body.key)]).toEqual([200, 200]);
    test.clock.currentMs += 1;
    expect([await works(made.key), await works(body.key)]).toEqual([401, 200]);
  });

  it('lets one of two at once win', async () => {
    const { id } = await create();
    const answers = await Promise.all(
      [1, 2].map(() => test.api('POST', `/api-keys/${id}/rotate`, alpha, {})),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
  });
});
