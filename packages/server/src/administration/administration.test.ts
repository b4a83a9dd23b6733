import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mergeLimits, type Storage, standardLimits } from '@sandgate/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { adoptServerKey } from '../process/adopt-server-key.ts';
import { openSqliteStorage } from '../storage/sqlite/open-sqlite-storage.ts';
import { createAdministration } from './administration.ts';

const clock = { nowMs: () => 1_800_000_000_000 };
let folder: string;
let storage: Storage;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sandgate-administration-'));
  storage = await openSqliteStorage({ file: join(folder, 'sandgate.db') });
});
afterEach(async () => {
  await storage.close();
  rmSync(folder, { recursive: true });
});

const administrationUnder = async (text: string, reset = false) => {
  const { serverKey } = await adoptServerKey({ storage, clock }, text, { reset });
  return createAdministration({
    storage,
    clock,
    randomness: { bytes: (length) => randomBytes(length) },
    loadServerKey: async () => serverKey,
    loadHasher: () => Promise.reject(new Error('There are no people here.')),
    counters: { look: async () => [] },
    loadLimits: async () => (key) => mergeLimits(standardLimits, key.limits),
  });
};

it('records each change of a key by the operator, without its text, in a log that verifies', async () => {
  const administration = await administrationUnder('first server key');
  const { key, text } = await administration.issueKey({ name: 'ci', namespace: 'team' });
  const rotated = await administration.rotateKey('1', { overlapMs: 60_000 });
  await administration.setKeyEnabled(key.id, false);
  await administration.setKeyEnabled('1', true);
  await administration.revokeKey('1');
  await expect(administration.revokeKey(text)).rejects.toMatchObject({ code: 'key_not_found' });

  const { entries } = await storage.audit.list({}, { limit: 9 });
  expect(
    entries
      .toReversed()
      .map(({ action, target, outcome, actor }) => [action, target, outcome, actor.kind]),
  ).toEqual([
    ['workspace.create', `workspace:${entries.at(-1)?.workspaceId}`, 'done', 'operator'],
    ['key.issue', 'key:1', 'done', 'operator'],
    ['key.rotate', 'key:1', 'done', 'operator'],
    ['key.disable', 'key:1', 'done', 'operator'],
    ['key.enable', 'key:1', 'done', 'operator'],
    ['key.revoke', 'key:1', 'done', 'operator'],
    ['key.revoke', null, 'failed', 'operator'],
  ]);
  const stored = JSON.stringify(entries);
  for (const secret of [text, rotated.text]) expect(stored).not.toContain(secret.slice(4, 20));
  expect(await administration.verifyAudit()).toMatchObject({ intact: true, entries: 7 });
});

it('records a reset of the server key, and verifies the log across it', async () => {
  const before = await administrationUnder('first server key');
  await before.issueKey({});
  const { head } = await before.verifyAudit();
  const after = await administrationUnder('second server key', true);
  const verified = await after.verifyAudit(head);
  expect(verified).toMatchObject({ intact: true, entries: 3 });
  expect(verified.remarks).toHaveLength(1);
  const { entries } = await storage.audit.list({ action: 'server_key.reset' }, { limit: 9 });
  expect(entries).toMatchObject([{ target: 'server_key:2', details: { revokedKeys: 1 } }]);
});
