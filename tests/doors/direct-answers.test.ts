import { once } from 'node:events';
import { request } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { newKeyText, revokeKey } from '@sandgate/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Listener, listen } from '../../packages/server/src/http/listen.ts';
import { openSqliteStorage } from '../../packages/server/src/storage/sqlite/open-sqlite-storage.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;
let direct: Listener;
let plain: Listener;
/** How many requests the direct way has taken. */
let taken = 0;

beforeAll(async () => {
  test = await createTestApp(folder);
  test.limits.current = { minute: 5, hour: 100, day: 1_000, quota24h: 50 };
  const options = { host: '127.0.0.1', port: 0, tls: null };
  direct = await listen(test.app, {
    ...options,
    direct(incoming, outgoing) {
      const took = test.direct(incoming, outgoing);
      if (took) taken += 1;
      return took;
    },
  });
  plain = await listen(test.app, options);
});
afterAll(async () => {
  await Promise.all([direct.close(1), plain.close(1)]);
});

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
  readonly headers: readonly string[];
  readonly requestId: string;
}

/** As it came over the wire: names in lower case and sorted, and what differs each time cut out. */
async function ask(
  { address }: Listener,
  headers: readonly string[],
  path = '/api/v1/verify',
  method = 'GET',
): Promise<Answer> {
  const call = request(`${address}${path}`, {
    method,
    agent: false,
    headers: ['Host', 'localhost', 'Connection', 'close', ...headers],
  });
  call.end();
  const [response] = await once(call, 'response');
  let body = '';
  response.setEncoding('utf8');
  for await (const piece of response) body += piece;
  const raw: readonly string[] = response.rawHeaders;
  const pairs = raw.flatMap((value, index) =>
    index % 2 === 1 ? [`${raw[index - 1]?.toLowerCase()}: ${value}`] : [],
  );
  const requestId = response.headers['x-request-id'];
  return {
    status: response.statusCode,
    body,
    headers: pairs.filter((pair) => !/^(date|x-request-id): /.test(pair)).toSorted(),
    requestId,
  };
}

type Made = { readonly headers: readonly string[]; readonly keyNumber: number | null };
const withKey = (issued: Awaited<ReturnType<TestApp['issue']>>): Made => ({
  headers: ['X-API-Key', issued.text],
  keyNumber: issued.key.number,
});

/** Each makes its own key, since one that was used by one way has less left for the other. */
const credentials: Readonly<Record<string, () => Promise<Made>>> = {
  'no key': async () => ({ headers: [], keyNumber: null }),
  'an empty key': async () => ({ headers: ['X-API-Key', ''], keyNumber: null }),
  'a malformed key': async () => ({ headers: ['X-API-Key', 'msb_nonsense'], keyNumber: null }),
  'an unknown key': async () => ({
    headers: ['X-API-Key', newKeyText('msb_', test.keyDependencies.randomness)],
    keyNumber: null,
  }),
  'an operator key': async () => withKey(await test.issue()),
  'a key of a workspace': async () => withKey(await test.issue({ namespace: 'team' })),
  'a key of few scopes': async () =>
    withKey(await test.issue({ namespace: 'team', scopes: ['file:read'] })),
  'a Bearer': async () => {
    const { text, key } = await test.issue();
    return { headers: ['authorization', `bearer ${text}`], keyNumber: key.number };
  },
  'one key in two headers': async () => {
    const { text, key } = await test.issue();
    return {
      headers: ['X-Api-Key', text, 'Authorization', `Bearer ${text}`],
      keyNumber: key.number,
    };
  },
  'two different keys': async () => ({
    headers: ['X-Api-Key', (await test.issue()).text, 'x-brimble-key', 'other'],
    keyNumber: null,
  }),
  'a key in a header of another door': async () => ({
    headers: ['x-brimble-key', (await test.issue()).text],
    keyNumber: null,
  }),
  'an expired key': async () => {
    const { text } = await test.issue({ namespace: 'team', expiresInMs: 1 });
    test.clock.currentMs += 1;
    return { headers: ['X-API-Key', text], keyNumber: null };
  },
  'a revoked key': async () => {
    const { text, key } = await test.issue({ namespace: 'team' });
    await revokeKey(test.keyDependencies, key.id);
    return { headers: ['X-API-Key', text], keyNumber: null };
  },
  'a disabled key': async () => {
    const issued = await test.issue({ namespace: 'team' });
    await test.storage.keys.setEnabled(issued.key.id, false);
    return withKey(issued);
  },
  'a key of another address': async () =>
    withKey(await test.issue({ namespace: 'team', addressAllowList: ['192.0.2.1'] })),
  'a key that has used up its limit': async () => {
    const made = withKey(await test.issue({ namespace: 'team' }));
    for (let index = 0; index < 5; index += 1) await ask(plain, made.headers);
    return made;
  },
};

const usageOf = async (keyNumber: number | null) => {
  if (keyNumber === null) return [];
  const { rows } = await test.storage.usage.list({ keyNumber }, { limit: 100 });
  return rows.map(({ id, keyNumber: _, requestId, durationMs, ...row }) => row);
};

describe('a request that is answered directly', () => {
  it.each(Object.keys(credentials))(
    'is answered, charged, recorded and audited as by the app: %s',
    async (kind) => {
      const outcomes = [];
      for (const listener of [direct, plain]) {
        const made = await credentials[kind]?.();
        if (made === undefined) throw new Error('There is no such kind.');
        test.refusals.length = 0;
        const before = taken;
        const { requestId, ...answer } = await ask(listener, made.headers);
        expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
        expect(taken - before).toBe(listener === direct ? 1 : 0);
        outcomes.push({
          answer,
          usage: await usageOf(made.keyNumber),
          refusals: [...test.refusals],
        });
      }
      expect(outcomes[0]).toEqual(outcomes[1]);
    },
  );

  it('is one without a query, a workspace or another method; the app answers the others', async () => {
    const headers = ['X-API-Key', (await test.issue()).text];
    const before = taken;
    expect((await ask(direct, headers, '/api/v1/verify?scope=file:read')).status).toBe(204);
    expect((await ask(direct, [...headers, 'X-Workspace-Id', 'none-such'])).status).toBe(404);
    expect((await ask(direct, headers, '/api/v1/verify', 'POST')).status).toBe(405);
    expect((await ask(direct, headers, '/api/v1/me')).status).toBe(200);
    expect(taken).toBe(before);
  });

  it('is accepted as often as the limit says, of any number at once', async () => {
    const { text } = await test.issue({ namespace: 'team' });
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => ask(direct, ['X-API-Key', text])),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 204)).toHaveLength(5);
    expect(statuses.filter((status) => status === 429)).toHaveLength(55);
  });

  it('is refused once another process has revoked its key', async () => {
    const { text, key } = await test.issue({ namespace: 'team' });
    expect((await ask(direct, ['X-API-Key', text])).status).toBe(204);
    const other = await openSqliteStorage({ file: test.file });
    await other.keys.revoke(key.id, test.clock.currentMs);
    expect((await ask(direct, ['X-API-Key', text])).status).toBe(401);
    await other.close();
  });

  it('is refused from the millisecond on at which its key expires', async () => {
    const { text } = await test.issue({ namespace: 'team', expiresInMs: 100 });
    expect((await ask(direct, ['X-API-Key', text])).status).toBe(204);
    test.clock.currentMs += 99;
    expect((await ask(direct, ['X-API-Key', text])).status).toBe(204);
    test.clock.currentMs += 1;
    expect((await ask(direct, ['X-API-Key', text])).status).toBe(401);
  });

  it('is answered 503 when it cannot be written down, and not charged', async () => {
    const { text } = await test.issue({ namespace: 'team' });
    expect((await ask(direct, ['X-API-Key', text])).status).toBe(204);
    const other = new DatabaseSync(test.file);
    other.exec('begin immediate');
    const refused = await ask(direct, ['X-API-Key', text]);
    other.exec('rollback');
    other.close();
    expect([refused.status, JSON.parse(refused.body).detail]).toEqual([
      503,
      expect.stringContaining('locked by another process'),
    ]);
    const { headers } = await ask(direct, ['X-API-Key', text]);
    expect(headers).toContain('x-ratelimit-minute-remaining: 3');
  });
});
