import { DatabaseSync } from 'node:sqlite';
import { type User, verifyAudit } from '@sandgate/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allRoutes } from '../../packages/server/src/http/native/all-routes.ts';
import { makeRouteTargets } from '../support/route-requests.ts';
import { routeSamples, type SampleTargets, samplePath } from '../support/route-samples.ts';
import { samplePeople } from '../support/sample-people.ts';
import { databaseIn, storedState } from '../support/stored-state.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;
let operator: string;
/** A second connection, as of somebody who fills the disk. */
let beside: DatabaseSync;

beforeAll(async () => {
  test = await createTestApp(folder);
  operator = (await test.issue()).text;
  people = samplePeople(test);
  asker = await people.newUser();
  beside = new DatabaseSync(databaseIn(folder));
});
afterAll(() => beside.close());

/** What happens to sandboxes is recorded when it has happened: no transaction takes it back. */
const changing = allRoutes.filter(
  (route) =>
    'safe' in route && !route.safe && !/^\/api\/v1\/(sandboxes|snapshots|volumes)/.test(route.path),
);

let asker: User;
let people: ReturnType<typeof samplePeople>;

const makeTargets = (path: string): Promise<SampleTargets> =>
  makeRouteTargets(test, 'team', path, asker);

const newestEntry = async () => (await test.storage.audit.list({}, { limit: 1 })).entries[0];

async function withoutRoomForRecords<Result>(work: () => Promise<Result>): Promise<Result> {
  beside.exec(`create trigger no_room before insert on audit_entries
    begin select raise(abort, 'no room'); end`);
  try {
    return await work();
  } finally {
    beside.exec('drop trigger no_room');
  }
}

describe.each(
  changing.map((route) => [`${route.method.toUpperCase()} ${route.path}`, route] as const),
)('%s', (_, route) => {
  const send = async (targets: SampleTargets, credential: string) => {
    const sample = routeSamples[route.operationId]?.(targets) ?? {};
    const path = samplePath(route.path.replace('/api/v1', ''), sample, targets);
    const method = route.method.toUpperCase() as 'POST' | 'PUT' | 'DELETE';
    return await test.api(method, path, credential, sample.body);
  };

  it('changes nothing without a record of it, and records what it changed once', async () => {
    const targets = await makeTargets(route.path);
    const isPerson = route.access === 'person';
    const credential = isPerson ? await people.newToken(asker) : operator;
    const before = storedState(folder);
    const refused = await withoutRoomForRecords(() => send(targets, credential));
    expect(refused.status).toBeGreaterThanOrEqual(500);
    expect(storedState(folder) === before).toBe(true);

    const last = (await newestEntry())?.sequence ?? 0;
    expect((await send(targets, credential)).status).toBe(route.status);
    const { entries } = await test.storage.audit.list({ outcome: 'done' }, { limit: 5 });
    const recorded = entries.filter(
      ({ sequence, actor }) => sequence > last && ['key', 'user'].includes(actor.kind),
    );
    const actions = recorded.map(({ action }) => action);
    // A call may bring the workspace into being that it is about.
    const isOwn = (action: string) => 'audit' in route && action === route.audit;
    expect(actions.filter((each) => isOwn(each) || each !== 'workspace.create')).toHaveLength(1);
    const actor = isPerson ? { userNumber: asker.number } : { keyNumber: 1 };
    expect(recorded[0]).toMatchObject({ actor });
    if (route.path.includes('{id}') && !route.path.endsWith('/children')) {
      expect(Object.values(targets)).toContain(Number(recorded[0]?.target?.split(':')[1]));
    }
  });
});

it('leaves a log in which every entry follows the one before', async () => {
  const { keyDependencies, storage } = test;
  const found = await verifyAudit(storage.audit, { serverKey: keyDependencies.serverKey() });
  expect(found).toMatchObject({ intact: true, remarks: [] });
});
