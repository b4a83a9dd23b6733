import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Storage, verifyAudit } from '@sandgate/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { auditLogOver, sampleServerKey as serverKey } from '../contract/sample-records.ts';
import { openSqliteStorage } from './open-sqlite-storage.ts';

let folder: string;
let storage: Storage;
/** Somebody with the database file, and without the server key. */
let intruder: DatabaseSync;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sandgate-sqlite-'));
  storage = await openSqliteStorage({ file: join(folder, 'sandgate.db') });
  intruder = new DatabaseSync(join(folder, 'sandgate.db'));
  for (let index = 1; index <= 5; index += 1) {
    await auditLogOver(storage).record({
      actor: index % 2 === 0 ? { kind: 'operator' } : { kind: 'key', keyNumber: index },
      action: 'key.update',
      target: `key:${index}`,
      workspaceId: 'abc',
      address: '192.0.2.1',
      requestId: `request ${index}`,
      details: { fields: 'name', index },
    });
  }
});
afterEach(async () => {
  intruder.close();
  await storage.close();
  rmSync(folder, { recursive: true });
});

const triggers = () =>
  intruder
    .prepare(`select name from sqlite_schema where type = 'trigger' and name like 'audit%'`)
    .all()
    .map(({ name }) => String(name));

function dropProtection(): void {
  for (const name of triggers()) intruder.exec(`drop trigger ${name}`);
  intruder.exec('pragma ignore_check_constraints = on');
}

const copy =
  'at_ms, actor_kind, actor_key_number, action, target, outcome, workspace_id, address, request_id, details, previous_hash, hash, actor_user_number';

it.each([
  [`update audit_entries set action = 'key.show' where sequence = 3`, 'never changed'],
  [`update audit_entries set sequence = 9 where sequence = 3`, 'never changed'],
  [`delete from audit_entries where sequence = 5`, 'never removed'],
  [`delete from audit_entries`, 'never removed'],
  [`delete from audit_head`, 'never removed'],
  [
    `insert or replace into audit_entries select 3, ${copy} from audit_entries where sequence = 4`,
    'only added at the end',
  ],
  [
    `insert into audit_entries select 0, ${copy} from audit_entries where sequence = 4`,
    'only added at the end',
  ],
])('refuses: %s', (sql, reason) => {
  expect(() => intruder.exec(sql)).toThrow(reason);
});

it.each([
  ['at_ms', '1'],
  ['actor_kind', `'server'`],
  ['actor_key_number', '9'],
  ['actor_user_number', '9'],
  ['action', `'key.show'`],
  ['target', 'null'],
  ['outcome', `'failed'`],
  ['workspace_id', `'other'`],
  ['address', `'192.0.2.2'`],
  ['request_id', `''`],
  ['details', `'{"fields":"name","index":99}'`],
  ['details', `'{"fields":"scopes","fields":' || substr(details, 11)`],
  ['details', `details || ' '`],
  ['details', `'not JSON'`],
  ['previous_hash', `'${'0'.repeat(63)}1'`],
  ['hash', `'${'0'.repeat(63)}1'`],
])(
  'finds a changed %s, in every entry, where the triggers were removed: %s',
  async (column, sql) => {
    dropProtection();
    for (let sequence = 1; sequence <= 5; sequence += 1) {
      intruder.exec('begin');
      const { changes } = intruder
        .prepare(`update audit_entries set ${column} = ${sql} where sequence = ?`)
        .run(sequence);
      expect(changes).toBe(1);
      intruder.exec('commit');
      const { findings } = await verifyAudit(storage.audit, { serverKey });
      expect(findings.map((finding) => finding.sequence)).toContain(sequence);
    }
  },
);

it('finds removed, renumbered and added rows where the triggers were removed', async () => {
  dropProtection();
  const attempts: readonly (readonly [string, string])[] = [
    ['delete from audit_entries where sequence = 2', 'removed 2'],
    ['delete from audit_entries where sequence = 5', 'truncated 5'],
    ['delete from audit_entries', 'truncated 1'],
    ['update audit_entries set sequence = sequence + 1 where sequence = 5', 'truncated 5'],
    [
      `insert into audit_entries select 6, ${copy} from audit_entries where sequence = 5`,
      'unsealed 6',
    ],
    ['update audit_head set sequence = 4', 'head_invalid 4'],
    [`update audit_head set seal = null, sequence = 0`, 'unsealed 1'],
    ['delete from audit_head', 'head_invalid 0'],
  ];
  for (const [sql, finding] of attempts) {
    intruder.exec('begin');
    intruder.exec('create temp table kept as select * from audit_entries');
    intruder.exec('create temp table kept_head as select * from audit_head');
    intruder.exec(sql);
    intruder.exec('commit');
    const { findings } = await verifyAudit(storage.audit, { serverKey });
    expect(findings.map(({ kind, sequence }) => `${kind} ${sequence}`)).toContain(finding);
    intruder.exec('delete from audit_entries; insert into audit_entries select * from kept');
    intruder.exec('delete from audit_head; insert into audit_head select * from kept_head');
    intruder.exec('drop table kept; drop table kept_head');
  }
  expect(await verifyAudit(storage.audit, { serverKey })).toMatchObject({ intact: true });
});
