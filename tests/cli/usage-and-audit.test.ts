import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { NewUsageRow } from '@sandgate/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { openSqliteStorage } from '../../packages/server/src/storage/sqlite/open-sqlite-storage.ts';
import { runInProcess } from '../support/run-in-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder();
let home: string;
let homes = 0;
beforeEach(async () => {
  homes += 1;
  home = join(folder, String(homes));
  await msb('keys', 'create', '-n', 'team');
  await msb('keys', 'create', '-n', 'other');
});

const msb = (...args: readonly string[]) => runInProcess(args, home);

const json = async (...args: readonly string[]) =>
  JSON.parse((await msb(...args, '--json')).stdout);

const hourMs = 3_600_000;
const noonMs = Date.parse('2026-03-01T12:00:00Z');

async function storeUsage(
  rows: readonly (Partial<NewUsageRow> & { readonly namespace: string })[],
): Promise<void> {
  const storage = await openSqliteStorage({ file: join(home, 'sandgate.db') });
  const begun = await Promise.all(
    rows.map(async ({ namespace, ...row }) => ({
      keyNumber: 1,
      workspaceId: (await storage.workspaces.findBySlug(namespace))?.id ?? null,
      requestId: 'r',
      method: 'GET',
      endpoint: '/api/v1/me',
      status: 200,
      accepted: true,
      errorCode: null,
      durationMs: 2,
      atMs: noonMs,
      sandboxId: null,
      ...row,
    })),
  );
  await storage.usage.write({ begun, ended: [] });
  await storage.close();
}

describe('msb usage', () => {
  beforeEach(async () => {
    await storeUsage([
      { namespace: 'team', requestId: 'a' },
      { namespace: 'team', requestId: 'b', atMs: noonMs + hourMs, durationMs: 4 },
      {
        namespace: 'team',
        requestId: 'c',
        atMs: noonMs + hourMs,
        endpoint: '/api/v1/api-keys/{id}',
        status: 404,
        errorCode: 'key_not_found',
      },
      { namespace: 'other', requestId: 'd', keyNumber: 2, atMs: Date.now() },
    ]);
  });

  it('lists requests, newest first, by each filter', async () => {
    const ids = async (...args: readonly string[]): Promise<string> =>
      (await json('usage', ...args))
        .map(({ requestId }: { readonly requestId: string }) => requestId)
        .join('');
    expect(await ids()).toBe('dcba');
    expect(await ids('--key', '1')).toBe('cba');
    expect(await ids('-n', 'other')).toBe('d');
    expect(await ids('--endpoint', '/api/v1/me')).toBe('dba');
    expect(await ids('--status', '404')).toBe('c');
    expect(await ids('--status', '2xx')).toBe('dba');
    expect(await ids('--from', '2026-03-01T13:00:00Z', '--to', '2026-03-02')).toBe('cb');
    expect(await ids('--to', '2026-03-01T12:00:00.001+00:00')).toBe('a');
    expect(await ids('--from', '1h ago')).toBe('d');
    expect(await ids('--to', '24h')).toBe('cba');
    expect(await ids('--limit', '2')).toBe('dc');
  });

  it('shows one request a line, and says so when there are none', async () => {
    const { stdout } = await msb('usage', '--status', '4xx');
    expect(stdout.split('\n')[1]).toMatch(
      /^2026-03-01T13:00:00.000Z +1 +team +GET +\/api\/v1\/api-keys\/\{id\} +404 +2\.0 ms +key_not_found$/,
    );
    expect((await msb('usage', '--status', '500')).stdout).toBe('No requests found\n');
  });

  it('writes all requests as CSV', async () => {
    const { stdout, stderr } = await msb('usage', '--csv', '--limit', 'all', '--to', '2026-04-01');
    expect(stderr).toBe('');
    expect(stdout.split('\r\n')).toEqual([
      'id,at,key,namespace,method,endpoint,status,accepted,error,durationMs,requestId,sandboxId,user',
      '3,2026-03-01T13:00:00.000Z,1,team,GET,/api/v1/api-keys/{id},404,true,key_not_found,2,c,,',
      '2,2026-03-01T13:00:00.000Z,1,team,GET,/api/v1/me,200,true,,4,b,,',
      '1,2026-03-01T12:00:00.000Z,1,team,GET,/api/v1/me,200,true,,2,a,,',
      '',
    ]);
  });

  it('sums up by hour and by day', async () => {
    const day = ['--by', 'day', '--to', '2026-03-02', '--endpoint', '/api/v1/me'];
    expect(await json('usage', ...day)).toEqual([
      {
        start: '2026-03-01T00:00:00.000Z',
        method: 'GET',
        endpoint: '/api/v1/me',
        calls: 2,
        successes: 2,
        averageMs: 3,
      },
    ]);
    const hours = await json('usage', '--by', 'hour', '--key', '1');
    expect(hours.map(({ calls }: { readonly calls: number }) => calls)).toEqual([1, 1, 1]);
    expect((await msb('usage', '--by', 'hour', '--csv')).stdout).toContain(
      '2026-03-01T12:00:00.000Z,GET,/api/v1/me,1,1,2\r\n',
    );
    expect((await msb('usage', '--by', 'day', '--status', '200')).exitCode).toBe(2);
  });

  it('reads as many requests as are asked for, over all pages', async () => {
    const rows = Array.from({ length: 2_100 }, () => ({ namespace: 'team' }));
    await storeUsage(rows);
    expect(await json('usage', '--limit', '2001')).toHaveLength(2_001);
    expect(await json('usage', '--limit', 'all')).toHaveLength(2_104);
    const { stderr } = await msb('usage');
    expect(stderr).toContain('The newest 100.');
  });

  it.each([
    ['--from', 'yesterday'],
    ['--from', '2026'],
    ['--from', '2026-13-01'],
    ['--from', '2026-03-01T12:00:00'],
    ['--status', '999'],
    ['--by', 'week'],
    ['--limit', '0'],
  ])('takes %s %s for wrong usage', async (option, value) => {
    expect(await msb('usage', option, value)).toMatchObject({ exitCode: 2, stdout: '' });
  });
});

describe('msb audit', () => {
  it('lists what was done, newest first, by each filter', async () => {
    await msb('keys', 'revoke', '1');
    await msb('keys', 'revoke', '99');
    const actions = async (...args: readonly string[]) =>
      (await json('audit', 'list', ...args)).map(
        ({ action, outcome, namespace }: Record<string, unknown>) => [action, outcome, namespace],
      );
    expect(await actions('--action', 'key.revoke')).toEqual([
      ['key.revoke', 'failed', null],
      ['key.revoke', 'done', 'team'],
    ]);
    expect(await actions('-n', 'other')).toEqual([
      ['key.issue', 'done', 'other'],
      ['workspace.create', 'done', 'other'],
    ]);
    expect(await actions('--outcome', 'failed')).toHaveLength(1);
    expect(await actions('--limit', '1')).toHaveLength(1);
    expect(await actions('--to', '1d ago')).toEqual([]);
    expect(await actions('--key', '2')).toEqual([]);
    expect((await msb('audit', 'list')).stdout).toMatch(/operator +key\.issue +key:2 +done +other/);
  });

  const headOf = (stdout: string): string => /^Head: (.+)$/m.exec(stdout)?.[1] ?? '';

  it('verifies the log, and prints a head that proves later that it was not set back', async () => {
    const before = await msb('audit', 'verify');
    expect(before).toMatchObject({ exitCode: 0, stderr: '' });
    expect(before.stdout).toMatch(/^The audit log is intact: 4 entries\.\nHead: 4:[0-9a-f]{64}\n$/);
    await msb('keys', 'revoke', '1');
    const head = headOf(before.stdout);
    expect((await msb('audit', 'verify', '--anchor', head)).exitCode).toBe(0);
    const other = `4:${'0'.repeat(64)}`;
    const setBack = await msb('audit', 'verify', '--anchor', other);
    expect(setBack.exitCode).toBe(1);
    expect(setBack.stdout).toContain('4  anchor_missing');
    expect((await msb('audit', 'verify', '--anchor', '2')).exitCode).toBe(2);
  });

  it('ends with 1 and the number of the entry that was changed', async () => {
    await msb('keys', 'revoke', '1');
    const database = new DatabaseSync(join(home, 'sandgate.db'));
    const triggers = database
      .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit%'")
      .all();
    for (const { name } of triggers) database.exec(`DROP TRIGGER "${name}"`);
    database.exec("UPDATE audit_entries SET action = 'key.enable' WHERE sequence = 2");
    database.close();
    const { exitCode, stdout, stderr } = await msb('audit', 'verify');
    expect(exitCode).toBe(1);
    expect(stdout).toContain('2  changed');
    expect(stderr).toBe('Error: The audit log was changed or damaged, first at entry 2.\n');
    const verified = JSON.parse((await msb('audit', 'verify', '--json')).stdout);
    expect(verified).toMatchObject({ intact: false, findings: [{ kind: 'changed', sequence: 2 }] });
  });
});

describe('msb keys stats', () => {
  beforeEach(async () => {
    await msb('keys', 'update', '1', '--limit', 'minute=none,hour=3');
    await storeUsage([
      { namespace: 'team', atMs: Date.now() - hourMs - 60_000, durationMs: 4 },
      { namespace: 'team', atMs: Date.now() },
      { namespace: 'team', atMs: Date.now(), status: 429, accepted: false, durationMs: 0 },
      { namespace: 'other', keyNumber: 2, atMs: Date.now(), endpoint: '/api/v1/usage' },
    ]);
  });

  it('counts keys, requests and tickets, of all namespaces or of one', async () => {
    expect(await json('keys', 'stats')).toMatchObject({
      ...{ activeKeys: 2, calls: 4, successes: 3, successRate: 75, averageMs: 2 },
      ...{ openTickets: 0, resolvedTickets: 0, recentTickets: [] },
      keys: [
        { number: 1, usageCount: 2 },
        { number: 2, usageCount: 1 },
      ],
    });
    expect(await json('keys', 'stats', '-n', 'other')).toMatchObject({ activeKeys: 1, calls: 1 });
    const { stdout } = await msb('keys', 'stats');
    expect(stdout).toMatch(/^Active keys: +2\nRequests: +4\nSucceeded: +75 %\nAverage: +2.0 ms\n/);
    expect((await msb('keys', 'stats', '--from', '7d')).exitCode).toBe(2);
    expect((await msb('keys', 'stats', '-n', 'nowhere')).stderr).toMatch(/'nowhere' not found/);
  });

  it('tells of one key its requests by endpoint, and what is left of its limits', async () => {
    const found = await json('keys', 'stats', '1');
    expect(found).toMatchObject({
      ...{ number: 1, state: 'active', usageCount: 2, calls: 3, successes: 2, averageMs: 2 },
      limits: [
        { name: 'hour', limit: 3, remaining: 2 },
        { name: 'day', limit: 10_000, remaining: 9_998 },
      ],
      endpoints: [{ method: 'GET', endpoint: '/api/v1/me', calls: 3 }],
    });
    const { stdout } = await msb('keys', 'stats', '1');
    expect(stdout).toMatch(/^day +10000 +9998 +22h \d+m$/m);
    const before = await json('keys', 'stats', '1', '--to', '2026-01-01');
    expect(before).toMatchObject({ calls: 0, successRate: 0, averageMs: 0, endpoints: [] });
    expect((await msb('keys', 'stats', '1', '-n', 'team')).exitCode).toBe(2);
    expect((await msb('keys', 'stats', '77')).stderr).toMatch(/API key not found/);
  });
});
