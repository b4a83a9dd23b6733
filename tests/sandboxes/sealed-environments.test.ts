import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { newWorkspace, type Sandbox, sealEnvironments } from '@sandgate/core';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { createTextSealer } from '../../packages/server/src/identity/text-sealer.ts';
import {
  sampleSandbox,
  sampleSnapshot,
} from '../../packages/server/src/storage/contract/sample-records.ts';
import { openSqliteStorage } from '../../packages/server/src/storage/sqlite/open-sqlite-storage.ts';
import { storedState } from '../support/stored-state.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder();
const randomness = { bytes: (length: number) => randomBytes(length) };
const workspaceId = `${'0'.repeat(23)}1`;
const value = 'never-to-be-at-rest';

const file = join(folder, 'sealed.db');
const plain = await openSqliteStorage({ file });
const under = (secret: Buffer) =>
  sealEnvironments(
    plain,
    createTextSealer(() => ({ version: 1, secret }), randomness),
  );
const storage = under(randomBytes(32));
await plain.workspaces.insertIfAbsent(
  newWorkspace({
    id: workspaceId,
    uuid: '00000000-0000-4000-8000-000000000001',
    slug: 'team',
    createdAtMs: 1,
  }),
);

afterAll(() => plain.close());

let number = 0;
let box: Sandbox;
beforeEach(async () => {
  number += 1;
  const sample = sampleSandbox({ number, workspaceId, name: `box-${number}` });
  const definition = {
    ...sample.definition,
    environment: { TOKEN: value, EMPTY: '' },
    secretEnvironment: { KEY: value },
  };
  box = { ...sample, definition };
  await storage.sandboxes.insert(box);
});

it('are read as they were written, however they are asked for', async () => {
  expect(await storage.sandboxes.findById(box.id)).toEqual(box);
  expect(await storage.sandboxes.findByName(workspaceId, box.name)).toEqual(box);
  expect(await storage.sandboxes.list(workspaceId)).toContainEqual(box);
  const { items } = await storage.sandboxes.page(workspaceId, { name: box.name }, { limit: 1 });
  expect(items).toEqual([box]);
  const { definition } = box;
  const snapshot = { ...sampleSnapshot(number), workspaceId, definition };
  await storage.snapshots.insert(snapshot);
  expect(await storage.snapshots.findById(snapshot.id)).toEqual(snapshot);
  expect(await storage.snapshots.list()).toContainEqual(snapshot);
  expect((await storage.snapshots.page(workspaceId, {}, { limit: 1 })).items).toEqual([snapshot]);
  expect(storedState(folder)).not.toContain(value);
  expect(storedState(folder)).not.toContain('TOKEN');
});

it('are kept for the key that they open under, whoever writes the record meanwhile', async () => {
  const other = under(randomBytes(32));
  const unread = await other.sandboxes.findById(box.id);
  expect(unread?.definition.environment).toEqual({});
  await other.sandboxes.update({ ...(unread ?? box), name: 'renamed' });
  const { definition } = box;
  expect(await storage.sandboxes.findById(box.id)).toMatchObject({ name: 'renamed', definition });
});

it('open in no record but their own', async () => {
  const thief = sampleSandbox({ number: number + 1_000, workspaceId, name: `thief-${number}` });
  await storage.sandboxes.insert(thief);
  const database = new DatabaseSync(file);
  database
    .prepare(
      'update sandboxes set definition = (select definition from sandboxes where id = ?) where id = ?',
    )
    .run(box.id, thief.id);
  database.close();
  const found = await storage.sandboxes.findById(thief.id);
  expect(found?.definition.environment).toEqual({});
  expect(found?.definition.secretEnvironment).toBeUndefined();
});
