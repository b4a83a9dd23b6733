import { newKeyText, revokeKey, type Scope, scopes, setKeyEnabled } from '@sandgate/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { allRoutes } from '../../packages/server/src/http/native/all-routes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;
let paths: Readonly<Record<string, Readonly<Record<string, Record<string, unknown>>>>>;

beforeAll(async () => {
  test = await createTestApp(folder);
  const { status, body } = await test.api('GET', '/openapi.json', null);
  expect(status).toBe(200);
  expect(body.openapi).toBe('3.1.0');
  paths = body.paths;
});

const operations = () =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

/** A path of this template that leads to nothing. */
const concrete = (path: string): string =>
  path.replace('{workspace}', 'scoped').replace(/\{\w+\}/g, '999999');

describe('the OpenAPI document', () => {
  it('has every route, once, under a name of its own', () => {
    const documented = operations().map(({ path, method }) => `${method} ${path}`);
    expect(documented.toSorted()).toEqual(
      allRoutes.map(({ path, method }) => `${method} ${path}`).toSorted(),
    );
    const names = operations().map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
  });

  it('says of every route which scope it needs', () => {
    for (const { operation } of operations()) {
      expect([...scopes, 'any key', 'person', 'public']).toContain(operation['x-required-scope']);
    }
  });

  it('declares no route public but those that are meant to be', () => {
    const open = operations().filter(({ operation }) => operation['x-required-scope'] === 'public');
    expect(open.map(({ path }) => path).toSorted()).toEqual([
      '/.well-known/secret-scanning',
      '/api/v1/invitations/accept',
      '/api/v1/invitations/show',
      '/api/v1/leaked-keys',
      '/api/v1/session',
      '/api/v1/session',
      '/api/v1/session/exchange',
      '/api/v1/session/options',
      '/api/v1/session/refresh',
      '/api/v1/setup',
    ]);
  });

  it('is true to every route: no key, no answer', async () => {
    for (const { path, method, operation } of operations()) {
      if (operation['x-required-scope'] === 'public') continue;
      // Refused credentials are budgeted per address and minute.
      test.clock.currentMs += 60_000;
      const response = await test.app.request(concrete(path), { method: method.toUpperCase() });
      expect([path, method, response.status]).toEqual([path, method, 401]);
      expect(await response.json()).toEqual({ detail: 'Missing API key' });
    }
  });

  it('is true to every route: the scopes that it names, and no other, open it', async () => {
    for (const { path, method, operation } of operations()) {
      const needed = operation['x-required-scope'];
      if (['public', 'any key', 'person'].includes(`${needed}`)) continue;
      const also = operation['x-own-children-scope'];
      const minting = also === undefined ? [] : [also, 'key:manage'];
      const others = scopes.filter((scope) => scope !== needed && !minting.includes(scope));
      const at = operation['x-operator-only'] === true ? {} : { namespace: 'scoped' };
      const { text } = await test.issue({ ...at, scopes: others });
      const ask = async (key: string) =>
        (
          await test.app.request(concrete(path), {
            method: method.toUpperCase(),
            headers: { 'x-api-key': key },
          })
        ).headers.get('x-error-code');
      expect([path, method, await ask(text)]).toEqual([path, method, 'scope_missing']);
      const further = (operation['x-also-required-scopes'] ?? []) as readonly Scope[];
      for (const scope of [needed, ...minting] as readonly Scope[]) {
        const right = await test.issue({ ...at, scopes: [scope, ...further] });
        expect(await ask(right.text)).not.toBe('scope_missing');
      }
    }
  });
});

describe('every route for keys', () => {
  const guarded = () =>
    operations().filter(({ operation }) => operation['x-required-scope'] !== 'public');

  const ask = async (
    { path, method }: { path: string; method: string },
    headers: Record<string, string>,
  ) => {
    const response = await test.app.request(concrete(path), {
      method: method.toUpperCase(),
      headers,
    });
    const body = (await response.json()) as { detail?: string };
    return [path, method, response.status, body.detail];
  };

  it('refuses each bad credential in the same words, and tells none from another', async () => {
    const unknown = newKeyText('msb_', { bytes: (length) => new Uint8Array(length).fill(7) });
    const expired = await test.issue({ namespace: 'own', expiresInMs: 1 });
    const revoked = await test.issue({ namespace: 'own' });
    await revokeKey(test.keyDependencies, revoked.key.id);
    const rotated = await test.issue({ namespace: 'own' });
    await test.rotate(rotated.key.id);
    const disabled = await test.issue({ namespace: 'own' });
    await setKeyEnabled(test.keyDependencies, disabled.key.id, false);
    const elsewhere = await test.issue({ namespace: 'own', addressAllowList: ['192.0.2.7'] });
    const parent = await test.issue({ namespace: 'own' });
    const orphan = await test.issue({ namespace: 'own', parentNumber: parent.key.number });
    await revokeKey(test.keyDependencies, parent.key.id);

    for (const route of guarded()) {
      // Refused credentials are budgeted per address and minute.
      test.clock.currentMs += 60_000;
      const { path, method } = route;
      const bad = ['mistyped', `${unknown}0`, unknown, expired.text, revoked.text, rotated.text];
      for (const credential of [...bad, orphan.text]) {
        const answer = await ask(route, { 'x-api-key': credential });
        expect(answer).toEqual([path, method, 401, 'Invalid API key']);
      }
      expect(await ask(route, { 'x-api-key': disabled.text })).toEqual([
        path,
        method,
        403,
        'API key is inactive',
      ]);
      expect(await ask(route, { 'x-api-key': elsewhere.text })).toEqual([
        path,
        method,
        403,
        'This API key may not be used from this address',
      ]);
    }
  });

  it('refuses the workspace of others, in the same words whether or not it is there', async () => {
    const { text } = await test.issue({ namespace: 'own' });
    await test.issue({ namespace: 'theirs' });
    const theirs = await test.storage.workspaces.findBySlug('theirs');
    for (const route of guarded()) {
      const { path, method } = route;
      for (const name of ['theirs', theirs?.id, theirs?.uuid, 'nobodys', 'f'.repeat(24)]) {
        const [, , status, detail] = await ask(route, {
          'x-api-key': text,
          'x-workspace-id': `${name}`,
        });
        expect([path, method, name, status, detail]).toEqual([
          path,
          method,
          name,
          403,
          'This API key has no access to that workspace',
        ]);
      }
    }
  });
});

describe('the reference page', () => {
  it('loads nothing from anywhere else, and says so to the browser', async () => {
    const page = await test.app.request('/api/v1/docs');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    const text = await page.text();
    expect(text).not.toMatch(/https?:\/\//);
    const files = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file);
    expect(files).toHaveLength(3);
    for (const file of files) {
      const answer = await test.app.request(`/api/v1/${file}`);
      expect([file, answer.status]).toEqual([file, 200]);
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  it.each(['package.json', '..%2Fpackage.json', '%2e%2e', 'constructor', 'index.js'])(
    'has no file %s',
    async (file) => {
      expect((await test.app.request(`/api/v1/docs/${file}`)).status).toBe(404);
    },
  );
});
