import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;

beforeAll(async () => {
  test = await createTestApp(folder);
  test.limits.current = { minute: 3, hour: null, day: null, quota24h: null };
});

const verify = async (key: string | null, query = '') =>
  await test.app.request(`/api/v1/verify${query}`, {
    headers: key === null ? {} : { 'x-api-key': key },
  });

describe('GET /api/v1/verify', () => {
  it('answers nothing but headers to a good key, and counts the call', async () => {
    const { key, text } = await test.issue();
    const answer = await verify(text);
    expect([answer.status, await answer.text()]).toEqual([204, '']);
    expect(answer.headers.get('x-ratelimit-minute-remaining')).toBe('2');
    const { rows } = await test.storage.usage.list({ keyNumber: key.number }, { limit: 9 });
    expect(rows).toMatchObject([{ endpoint: '/api/v1/verify', status: 204, accepted: true }]);
  });

  it('asks for a scope on request', async () => {
    const { text } = await test.issue({ scopes: ['sandbox:read'] });
    expect((await verify(text, '?scope=sandbox:read')).status).toBe(204);
    expect((await verify(text, '?scope=sandbox:exec')).status).toBe(403);
    expect((await verify(text, '?scope=sudo')).status).toBe(400);
  });

  it('refuses a missing and a bad key, and one that has used up its limit', async () => {
    expect((await verify(null)).status).toBe(401);
    expect((await verify('msb_nonsense')).status).toBe(401);
    const { text } = await test.issue();
    for (let index = 0; index < 3; index += 1) await verify(text);
    expect((await verify(text)).status).toBe(429);
  });
});
