import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allRoutes } from '../../packages/server/src/http/native/all-routes.ts';
import { nativeErrors } from '../../packages/server/src/http/native/error-table.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/api.md'), 'utf8');

describe('docs/api.md', () => {
  it('gives the status of every error code, as the door answers it', () => {
    const documented = [...page.matchAll(/^\| (\d{3}) \| (.+) \|$/gm)].flatMap(
      ([, status, codes]) =>
        [...(codes ?? '').matchAll(/`([a-z_]+)`/g)].map(([, code]) => [code, Number(status)]),
    );
    expect(documented.toSorted()).toEqual(
      Object.entries(nativeErrors)
        .map(([code, { status }]) => [code, status])
        .toSorted(),
    );
  });

  it('names every path', () => {
    const base = (path: string): string => path.replace(/\/(disable|enable)$/, '');
    for (const { path } of allRoutes) expect(page).toContain(base(path));
  });
});
