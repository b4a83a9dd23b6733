import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { brimbleRoutes } from '../../packages/server/src/http/dialects/brimble/brimble-routes.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/brimble.md'), 'utf8');

it('docs/brimble.md has one row for each endpoint, as the door answers it', () => {
  const rows = [
    ...page.matchAll(/^\| ([A-Z]+) \| `(\S+)` \| (\d+) \| (.*?) ?\| `(\S+)` \| .*\|$/gm),
  ].map(([, method, path, status, message, scope]) => ({
    ...{ method, path, status: Number(status), message, scope },
  }));
  expect(rows).toEqual(
    brimbleRoutes.map(({ method, path, status, message, scope }) => ({
      ...{ method, path, status, message, scope },
    })),
  );
});
