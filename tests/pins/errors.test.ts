import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCodes } from '@sandgate/core';
import { describe, expect, it } from 'vitest';
import { microsandboxErrors } from '../../packages/server/src/http/dialects/microsandbox/error-table.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8');
const rows = [...page.matchAll(/^\| `(\w+)` \| (.+?) \| (\d*) ?\| (\d*) ?\| (-\d+) \|$/gm)].map(
  ([, code, meaning, status, number, rpc]) => ({ code, meaning, status, number, rpc }),
);

describe('docs/errors.md', () => {
  it('has one row for each error code, and none for anything else', () => {
    expect(rows.map(({ code }) => code).sort()).toEqual([...errorCodes].sort());
  });

  it('says of each code what the microsandbox door answers', () => {
    for (const row of rows) {
      const { http, rpc } = microsandboxErrors[row.code as keyof typeof microsandboxErrors];
      expect({ ...row, meaning: '' }).toEqual({
        code: row.code,
        meaning: '',
        status: http === null ? '' : String(http.status),
        number: http === null ? '' : String(http.code),
        rpc: String(rpc),
      });
    }
  });

  it('lists the codes in the source in alphabetical order', () => {
    expect([...errorCodes]).toEqual([...errorCodes].sort());
  });
});
