import { scopes } from '@sandgate/core';
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
const concrete = (path: string): string => path.replace(/\{\w+\}/g, '999999');

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
      expect([...scopes, 'any key', 'public']).toContain(operation['x-required-scope']);
    }
  });

  it('declares no route public but those that are meant to be', () => {
    const open = operations().filter(({ operation }) => operation['x-required-scope'] === 'public');
    expect(open.map(({ path }) => path).toSorted()).toEqual([
      '/.well-known/secret-scanning',
      '/api/v1/leaked-keys',
    ]);
  });

  it('is true to every route: no key, no answer', async () => {
    for (const { path, method, operation } of operations()) {
      if (operation['x-required-scope'] === 'public') continue;
      const response = await test.app.request(concrete(path), { method: method.toUpperCase() });
      expect([path, method, response.status]).toEqual([path, method, 401]);
      expect(await response.json()).toEqual({ detail: 'Missing API key' });
    }
  });

  it('is true to every route: the scope that it names, and no other, opens it', async () => {
    for (const { path, method, operation } of operations()) {
      const needed = operation['x-required-scope'];
      if (needed === 'public' || needed === 'any key') continue;
      const others = scopes.filter((scope) => scope !== needed);
      const { text } = await test.issue({ namespace: 'scoped', scopes: others });
      const ask = async (key: string) =>
        (
          await test.app.request(concrete(path), {
            method: method.toUpperCase(),
            headers: { 'x-api-key': key },
          })
        ).headers.get('x-error-code');
      expect([path, method, await ask(text)]).toEqual([path, method, 'scope_missing']);
      const right = await test.issue({ namespace: 'scoped', scopes: [`${needed}`] });
      expect(await ask(right.text)).not.toBe('scope_missing');
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
