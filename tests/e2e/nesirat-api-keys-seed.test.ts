import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const home = temporaryFolder();
let server: ServerProcess;
/** A key of one workspace: the plan's documented limits are its own. */
let key: string;

beforeAll(async () => {
  server = await startServerProcess({ home });
  const made = await api(
    'POST',
    '/api-keys',
    { name: 'documented', workspace: 'documented' },
    server.firstKey,
  );
  key = made.body.key;
});
afterAll(async () => {
  await server.stop();
});

/** A request as the document shows it: the key in `X-API-Key`, a JSON body. */
async function api(method: string, path: string, body?: unknown, credential: string | null = key) {
  const response = await fetch(`${server.address}/api/v1${path}`, {
    method,
    headers: {
      ...(credential === null ? {} : { 'X-API-Key': credential }),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return {
    status: response.status,
    headers: response.headers,
    // The tests look into answers of many shapes; a wrong guess fails the test that makes it.
    body: (await response.json()) as ReturnType<typeof JSON.parse>,
  };
}

const documentedTime = expect.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/);

/** Only the fields that the document shows: Sandgate's own are beside them. */
const documented = (from: Record<string, unknown>, fields: readonly string[]) =>
  Object.fromEntries(fields.map((field) => [field, from[field]]));

const itemFields = [
  'id',
  'name',
  'description',
  'is_active',
  'created_at',
  'last_used',
  'usage_count',
];

describe('API Key Management', () => {
  let id: number;
  let text: string;

  it('Create API Key', async () => {
    const { status, body } = await api('POST', '/api-keys', {
      name: 'My API Key',
      description: 'API key for my application',
    });
    expect(status).toBe(200);
    expect(documented(body, [...itemFields, 'key'])).toEqual({
      id: expect.any(Number),
      name: 'My API Key',
      description: 'API key for my application',
      key: expect.any(String),
      is_active: true,
      created_at: documentedTime,
      last_used: null,
      usage_count: 0,
    });
    ({ id, key: text } = body);
  });

  it('All API requests must include an API key', async () => {
    expect((await api('GET', '/api-keys', undefined, text)).status).toBe(200);
    expect((await api('GET', '/api-keys', undefined, null)).status).toBe(401);
  });

  it('List API Keys', async () => {
    const { status, body } = await api('GET', '/api-keys?page=1&size=10');
    expect(status).toBe(200);
    expect(documented(body, ['total', 'page', 'size'])).toEqual({ total: 2, page: 1, size: 10 });
    const listed = body.api_keys.find((item: { id: number }) => item.id === id);
    expect(documented(listed, itemFields)).toEqual({
      id,
      name: 'My API Key',
      description: 'API key for my application',
      is_active: true,
      created_at: documentedTime,
      last_used: documentedTime,
      usage_count: 1,
    });
    expect(listed).not.toHaveProperty('key');
    const byDefault = await api('GET', '/api-keys');
    expect(documented(byDefault.body, ['page', 'size'])).toEqual({ page: 1, size: 10 });
  });

  it('Get API Key Details', async () => {
    const { status, body } = await api('GET', `/api-keys/${id}`);
    expect(status).toBe(200);
    expect(documented(body, itemFields)).toMatchObject({ id, usage_count: 1 });
    expect(body).not.toHaveProperty('key');
    expect(body.usage).toHaveLength(1);
    const usageFields = ['id', 'endpoint', 'method', 'status_code', 'response_time', 'created_at'];
    expect(documented(body.usage[0], usageFields)).toEqual({
      id: expect.any(Number),
      endpoint: '/api/v1/api-keys',
      method: 'GET',
      status_code: 200,
      response_time: expect.any(Number),
      created_at: documentedTime,
    });
    expect(body.usage[0].response_time).toBeLessThan(5);
  });

  it('Update API Key', async () => {
    const { status, body } = await api('PUT', `/api-keys/${id}`, {
      name: 'Updated API Key',
      description: 'Updated description',
      is_active: true,
    });
    expect(status).toBe(200);
    expect(documented(body, itemFields)).toEqual({
      id,
      name: 'Updated API Key',
      description: 'Updated description',
      is_active: true,
      created_at: documentedTime,
      last_used: documentedTime,
      usage_count: 1,
    });
    expect(body).not.toHaveProperty('key');
  });

  it('Error codes: 403 API key is inactive', async () => {
    await api('PUT', `/api-keys/${id}`, { is_active: false });
    const { status, body } = await api('GET', '/api-keys', undefined, text);
    expect([status, body]).toEqual([403, { detail: 'API key is inactive' }]);
    await api('PUT', `/api-keys/${id}`, { is_active: true });
    expect((await api('GET', '/api-keys', undefined, text)).status).toBe(200);
  });

  it('Delete API Key', async () => {
    const { status, body } = await api('DELETE', `/api-keys/${id}`);
    expect([status, body]).toEqual([200, { message: 'API key deleted successfully' }]);
    expect((await api('GET', '/api-keys', undefined, text)).status).toBe(401);
    const gone = await api('GET', `/api-keys/${id}`);
    expect([gone.status, gone.body]).toEqual([404, { detail: 'API key not found' }]);
  });
});

describe('Usage Statistics', () => {
  it('Dashboard Statistics', async () => {
    const { body: ticket } = await api('POST', '/tickets', { subject: 'Ticket Subject' });
    const { status, body } = await api('GET', '/dashboard/stats');
    expect(status).toBe(200);
    expect(body).toEqual({
      open_tickets: 1,
      resolved_tickets: 0,
      active_api_keys: 1,
      total_api_calls: expect.any(Number),
      api_usage: { success_rate: expect.any(Number), avg_response_time: expect.any(Number) },
      recent_tickets: [
        { id: ticket.id, subject: 'Ticket Subject', status: 'open', created_at: documentedTime },
      ],
      api_keys: [
        {
          id: expect.any(Number),
          name: 'documented',
          is_active: true,
          usage_count: expect.any(Number),
          last_used: documentedTime,
        },
      ],
    });
    expect(body.total_api_calls).toBeGreaterThan(10);
    expect(body.api_usage.success_rate).toBeGreaterThan(50);
    expect(body.api_usage.success_rate).toBeLessThan(100);
  });
});

describe('Error Codes', () => {
  it.each([
    [null, 'Missing API key'],
    ['your_api_key_here', 'Invalid API key'],
    [`msb_${'0'.repeat(48)}`, 'Invalid API key'],
  ])('401 for %j: %s', async (credential, detail) => {
    const { status, body } = await api('GET', '/api-keys', undefined, credential);
    expect([status, body]).toEqual([401, { detail }]);
  });
});

describe('Rate Limits', () => {
  it('100 requests per minute per API key, told by the documented headers', async () => {
    const { body: fresh } = await api('POST', '/api-keys', { name: 'limited' }, server.firstKey);
    const first = await api('GET', '/me', undefined, fresh.key);
    expect(
      first.body.limits.map(({ name, limit }: { name: string; limit: number }) => [name, limit]),
    ).toEqual([
      ['minute', 100],
      ['hour', 1_000],
      ['day', 10_000],
    ]);
    expect(first.headers.get('x-ratelimit-limit')).toBe('100');
    expect(first.headers.get('x-ratelimit-remaining')).toBe('99');
    const resetSeconds = Number(first.headers.get('x-ratelimit-reset')) - Date.now() / 1_000;
    expect(resetSeconds).toBeGreaterThan(0);
    expect(resetSeconds).toBeLessThanOrEqual(62);
    const answers = await Promise.all(
      Array.from({ length: 150 }, () => api('GET', '/me', undefined, fresh.key)),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(99);
    expect(refused).toHaveLength(51);
    for (const { body, headers } of refused) {
      expect(body.detail).toMatch(/^Rate limit exceeded for minute\. Try again in \d+ seconds$/);
      expect(headers.get('x-ratelimit-remaining')).toBe('0');
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
  });

  it('do not count what was refused, and are those of each key alone', async () => {
    const { body: fresh } = await api('POST', '/api-keys', { name: 'other' }, server.firstKey);
    expect((await api('GET', '/api-keys/999999', undefined, fresh.key)).status).toBe(404);
    const { headers } = await api('GET', '/me', undefined, fresh.key);
    expect(headers.get('x-ratelimit-remaining')).toBe('98');
  });
});
