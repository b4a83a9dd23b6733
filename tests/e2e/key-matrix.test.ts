import {
  newKeyText,
  revokeKey,
  roleScopes,
  type Scope,
  scopes,
  setKeyEnabled,
  type User,
} from '@sandgate/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { allRoutes } from '../../packages/server/src/http/native/all-routes.ts';
import { openApiDocument } from '../../packages/server/src/http/native/openapi-document.ts';
import { smallBodyBytes } from '../../packages/server/src/http/native/route.ts';
import { sampleSandbox } from '../../packages/server/src/storage/contract/sample-records.ts';
import {
  type DocumentedRoute,
  documentedRoutes,
  gapsOf,
  type OpenApiPaths,
} from '../support/documented-routes.ts';
import {
  makeRouteTargets,
  type SentRequest,
  sendRequest,
  theirMark,
} from '../support/route-requests.ts';
import { absentTargets, routeSamples, type SampleTargets } from '../support/route-samples.ts';
import { samplePeople } from '../support/sample-people.ts';
import { storedState } from '../support/stored-state.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const routes = documentedRoutes(openApiDocument(allRoutes, '0').paths as unknown as OpenApiPaths);
const operatorRoutes = routes.filter(({ operatorOnly }) => operatorOnly);
const guarded = routes.filter(({ access, operatorOnly }) => access !== 'public' && !operatorOnly);
const publicRoutes = routes.filter(({ access }) => access === 'public');

const folder = temporaryFolder();
let test: TestApp;
let operator: string;
/** Keys of the own workspace with one scope each, and with all but one. */
const withOnly = new Map<Scope, string>();
const withAllBut = new Map<string, string>();
/** May whatever a viewer may, and manage the own workspace. */
let roleGiver: string;
/** Of the routes that need several scopes, by their names: keys with those alone. */
const withThose = new Map<string, string>();
let strangers: readonly (readonly [kind: string, text: string | null])[];
let known: readonly (readonly [kind: string, text: string, detail: string])[];
let ours: SampleTargets;
let theirs: SampleTargets;
let names: Readonly<Record<'mine' | 'theirs', readonly string[]>>;

/** Who asks where only a person may: the owner of the own workspace. */
let asker: User;
let people: ReturnType<typeof samplePeople>;

beforeAll(async () => {
  test = await createTestApp(folder, {
    policy: { maxSandboxes: 10_000 },
    stored: { sandboxesPerWorkspace: 10_000, sandboxes: 20_000 },
  });
  operator = (await test.issue()).text;
  for (const scope of scopes) {
    withOnly.set(scope, (await test.issue({ namespace: 'mine', scopes: [scope] })).text);
    const others = scopes.filter((each) => each !== scope);
    withAllBut.set(scope, (await test.issue({ namespace: 'mine', scopes: others })).text);
  }
  for (const opening of guarded.filter(({ ownChildren }) => ownChildren).map(openedBy)) {
    const others = scopes.filter((each) => !opening.includes(each));
    withAllBut.set(opening.join(), (await test.issue({ namespace: 'mine', scopes: others })).text);
  }
  const givesRoles = [...roleScopes.viewer, 'workspace:manage'];
  roleGiver = (await test.issue({ namespace: 'mine', scopes: givesRoles })).text;
  people = samplePeople(test);
  asker = await people.newUser();
  const mine = await test.storage.workspaces.findBySlug('mine');
  if (mine === null) throw new Error('The workspace is gone.');
  await people.join(mine, asker, 'owner');
  for (const { operationId, access, alsoNeeds } of guarded) {
    if (alsoNeeds.length === 0) continue;
    const those = [access, ...alsoNeeds] as Scope[];
    const { text } = await test.issue({ namespace: 'mine', scopes: those });
    withThose.set(operationId, text);
  }
  ours = await makeTargets('mine');
  theirs = await makeTargets('theirs');
  const forms = async (slug: string): Promise<readonly string[]> => {
    const workspace = await test.storage.workspaces.findBySlug(slug);
    return [slug, workspace?.id ?? '', workspace?.uuid ?? ''];
  };
  names = { mine: await forms('mine'), theirs: await forms('theirs') };

  const mistyped = `${operator.slice(0, -1)}${operator.endsWith('0') ? '1' : '0'}`;
  const unknown = newKeyText('msb_', { bytes: (length) => new Uint8Array(length).fill(7) });
  const expired = await test.issue({ namespace: 'mine', expiresInMs: 1 });
  const revoked = await test.issue({ namespace: 'mine' });
  await revokeKey(test.keyDependencies, revoked.key.id);
  const rotated = await test.issue({ namespace: 'mine' });
  await test.rotate(rotated.key.id);
  const parent = await test.issue({ namespace: 'mine' });
  const orphan = await test.issue({ namespace: 'mine', parentNumber: parent.key.number });
  await revokeKey(test.keyDependencies, parent.key.id);
  const workspaceId = (await test.storage.workspaces.findBySlug('mine'))?.id ?? '';
  const sandbox = sampleSandbox({ number: 9, workspaceId, name: 'gone' });
  await test.storage.sandboxes.insert(sandbox);
  const ofSandbox = await test.issue({
    namespace: 'mine',
    restrictions: { sandboxId: sandbox.id },
  });
  const childOfSandbox = await test.issue({
    namespace: 'mine',
    parentNumber: ofSandbox.key.number,
  });
  await test.storage.sandboxes.update({
    ...sandbox,
    state: 'destroyed',
    destroyedAtMs: test.clock.currentMs,
    destroyReason: 'user',
    failure: null,
  });
  strangers = [
    ['none', null],
    ['malformed', 'nonsense'],
    ['mistyped', mistyped],
    ['unknown', unknown],
    ['expired', expired.text],
    ['revoked', revoked.text],
    ['rotated away', rotated.text],
    ['child of a revoked key', orphan.text],
    ['key of a destroyed sandbox', ofSandbox.text],
    ['child key of a destroyed sandbox', childOfSandbox.text],
  ];
  const disabled = await test.issue({ namespace: 'mine' });
  await setKeyEnabled(test.keyDependencies, disabled.key.id, false);
  const elsewhere = await test.issue({ namespace: 'mine', addressAllowList: ['192.0.2.7'] });
  known = [
    ['disabled', disabled.text, 'API key is inactive'],
    ['used from a wrong address', elsewhere.text, 'This API key may not be used from this address'],
  ];
  test.clock.currentMs += 60_000;
});

/** Without what the request named. */
const plain = (text: string): string =>
  text.replace(/'[0-9a-f]{24}'/g, 'it').replace(/ in namespace '\w+'/, '');

const longestBody = ({ operationId }: DocumentedRoute): number =>
  allRoutes.find((each) => each.operationId === operationId)?.maxBodyBytes ?? smallBodyBytes;

const send = async (...request: SentRequest) => await sendRequest(test, ...request);
const makeTargets = async (namespace: 'mine' | 'theirs', path?: string) =>
  // Of the other workspace, what is a person's is another one's.
  await makeRouteTargets(test, namespace, path, namespace === 'mine' ? asker : undefined);

/** These look further than at a scope, so that another credential may just make the call. */
const otherwiseAllowed: Readonly<Record<string, () => string | Promise<string>>> = {
  createWorkspace: () => people.newToken(asker),
  closeWorkspace: () => people.newToken(asker),
  transferWorkspace: () => people.newToken(asker),
  removeMember: () => withOnly.get('workspace:manage') ?? '',
  addMember: () => roleGiver,
  changeRole: () => roleGiver,
  createInvitation: () => roleGiver,
};

/** These would take the own workspace away: who may is in the matrix of roles. */
const endsWorkspace = ({ operationId }: DocumentedRoute): boolean =>
  ['closeWorkspace', 'transferWorkspace'].includes(operationId);

/** A credential that may just make this call. */
async function rightKey({ access, operationId }: DocumentedRoute): Promise<string> {
  const other = otherwiseAllowed[operationId];
  if (other !== undefined) return await other();
  if (access === 'person') return await people.newToken(asker);
  return (
    withThose.get(operationId) ??
    withOnly.get(access === 'any key' ? 'mcp:call' : (access as Scope)) ??
    ''
  );
}

/** The scopes of which each opens a route, in some way. `key:manage` holds `key:mint`. */
function openedBy({ access, ownChildren }: DocumentedRoute): readonly Scope[] {
  const minting = ownChildren ? (['key:mint', 'key:manage'] as const) : [];
  return [...new Set([access as Scope, ...minting])];
}

/** What the samples of these public routes are answered. */
const refusedSamples: Readonly<Record<string, readonly [status: number, code: string]>> = {
  logIn: [401, 'login_failed'],
  refreshSession: [401, 'session_ended'],
  exchangeCode: [401, 'sign_in_failed'],
  setUp: [403, 'setup_refused'],
  acceptInvitation: [404, 'invitation_invalid'],
};

/** Runs requests of which none may change anything. */
async function changingNothing(requests: () => Promise<void>): Promise<void> {
  const before = storedState(folder);
  await requests();
  expect(storedState(folder) === before).toBe(true);
}

describe('the matrix', () => {
  it('has a sample of every documented route, and every route says who may call it', () => {
    expect(routes.length).toBeGreaterThan(25);
    expect(gapsOf(routes, routeSamples)).toEqual([]);
  });

  it('would notice a route that declares no access, has no sample, or is gone', () => {
    const [first] = routes;
    if (first === undefined) throw new Error('There are no routes.');
    const undeclared = { ...first, access: undefined };
    const unknown = { ...first, operationId: 'somethingNew', path: '/new', method: 'GET' };
    const rest = routes.slice(1);
    expect(gapsOf([undeclared, ...rest], routeSamples)).toEqual([
      `${first.method} ${first.path} does not declare who may call it`,
    ]);
    expect(gapsOf([...routes, unknown], routeSamples)).toEqual(['GET /new has no sample request']);
    expect(gapsOf(rest, routeSamples)).toEqual([
      `the sample of ${first.operationId} belongs to no route`,
    ]);
  });
});

describe.each(guarded.map((route) => [`${route.method} ${route.path}`, route] as const))(
  '%s',
  (_, route) => {
    it('is closed to every credential that is none, and tells none from another', async () => {
      // Refused credentials are budgeted per address and minute.
      test.clock.currentMs += 60_000;
      await changingNothing(async () => {
        for (const [kind, text] of strangers) {
          for (const changes of [{}, { workspaceHeader: 'theirs' }, { rawBody: '{' }]) {
            const answer = await send(route, text, ours, changes);
            const words = text === null ? 'Missing API key' : 'Invalid API key';
            expect([kind, answer.status, answer.text]).toEqual([
              kind,
              401,
              JSON.stringify({ detail: words }),
            ]);
          }
        }
        for (const [kind, text, detail] of known) {
          const answer = await send(route, text, ours);
          expect([kind, answer.status, answer.text]).toEqual([
            kind,
            403,
            JSON.stringify({ detail }),
          ]);
        }
      });
    });

    it('is opened by the scope that it declares, and by no other, to a body that it can read', async () => {
      const { access } = route;
      const opening = openedBy(route);
      if (access !== 'any key' && access !== 'person') {
        await changingNothing(async () => {
          for (const scope of scopes) {
            const isPart = opening.includes(scope);
            if (isPart && route.alsoNeeds.length === 0) continue;
            // What else it needs is known when its body is read.
            for (const changes of [{}, route.hasBody && !isPart ? { rawBody: '{' } : {}]) {
              const { status, code } = await send(route, withOnly.get(scope) ?? '', ours, changes);
              expect([scope, status, code]).toEqual([scope, 403, 'scope_missing']);
            }
          }
          const allOthers = await send(route, withAllBut.get(opening.join()) ?? '', ours);
          expect([allOthers.status, allOthers.code]).toEqual([403, 'scope_missing']);
        });
      }
      if (access === 'person') {
        const key = await send(route, withOnly.get('workspace:manage') ?? '', ours);
        expect([key.status, key.code]).toEqual([403, 'user_required']);
      }
      if (!endsWorkspace(route)) {
        const targets = await makeTargets('mine', route.path);
        const answer = await send(route, await rightKey(route), targets);
        expect([answer.status, answer.code]).toEqual([route.success, null]);
        expect(answer.text).not.toContain(theirMark);
      }
      if (route.hasBody) {
        for (const [changes, status] of [
          [{ rawBody: '{' }, 400],
          [{ rawBody: ' '.repeat(longestBody(route) + 1) }, 413],
          [{ contentType: 'text/plain', rawBody: '{}' }, 415],
        ] as const) {
          expect((await send(route, await rightKey(route), ours, changes)).status).toBe(status);
        }
      }
    });

    it('takes the own workspace under all its names, wherever it is named', async () => {
      if (endsWorkspace(route)) return;
      for (const name of names.mine) {
        const named = { workspace: name };
        for (const changes of [
          { workspaceHeader: name },
          ...(route.workspaceIn.path ? [{ path: name, workspaceHeader: 'mine' }] : []),
          ...(route.workspaceIn.query ? [{ query: named, workspaceHeader: 'mine' }] : []),
          ...(route.workspaceIn.body ? [{ body: named, workspaceHeader: 'mine' }] : []),
        ]) {
          const made = await makeTargets('mine', route.path);
          const targets = 'path' in changes ? { ...made, workspace: changes.path } : made;
          const answer = await send(route, await rightKey(route), targets, changes);
          expect([name, changes, answer.status]).toEqual([name, changes, route.success]);
          expect(answer.text).not.toContain(theirMark);
        }
      }
    });

    it('is closed to the workspace of others, whatever it is called and wherever', async () => {
      const key = await rightKey(route);
      await changingNothing(async () => {
        for (const name of [...names.theirs, 'nobodys', 'f'.repeat(24)]) {
          const named = { workspace: name };
          if (route.workspaceIn.path) {
            for (const given of [ours, theirs]) {
              const targets = { ...given, workspace: name };
              for (const changes of [{}, { workspaceHeader: name }]) {
                const inPath = await send(route, key, targets, changes);
                expect([name, inPath.status, inPath.code]).toEqual([name, 403, 'access_denied']);
              }
              const both = await send(route, key, targets, { workspaceHeader: 'mine' });
              expect([name, both.status, both.code]).toEqual([name, 400, 'tenant_conflict']);
              const swapped = await send(route, key, ours, { workspaceHeader: name });
              expect([name, swapped.status]).toEqual([name, 403]);
            }
            continue;
          }
          for (const targets of [ours, theirs]) {
            const header = await send(route, key, targets, { workspaceHeader: name });
            expect([name, header.status, header.code]).toEqual([name, 403, 'access_denied']);
            for (const place of ['query', 'body'] as const) {
              if (place === 'body' ? !route.hasBody : route.forwards) continue;
              const reads = route.workspaceIn[place];
              const alone = await send(route, key, targets, { [place]: named });
              expect([name, place, alone.status, alone.code]).toEqual(
                reads ? [name, place, 403, 'access_denied'] : [name, place, 400, 'invalid_request'],
              );
              const both = await send(route, key, targets, {
                [place]: named,
                workspaceHeader: 'mine',
              });
              expect([name, place, both.status, both.code]).toEqual([
                name,
                place,
                400,
                reads ? 'tenant_conflict' : 'invalid_request',
              ]);
              const swapped = await send(route, key, targets, {
                [place]: { workspace: 'mine' },
                workspaceHeader: name,
              });
              expect([name, place, swapped.status]).toEqual([name, place, 403]);
            }
          }
        }
        const twice = await send(route, key, ours, { workspaceHeader: 'mine, theirs' });
        expect(twice.status).toBe(400);
      });
    });

    if (/\{(?!workspace\})/.test(route.path)) {
      it('has nothing of others, not for a key and not under a wrong workspace', async () => {
        const key = await rightKey(route);
        await changingNothing(async () => {
          const foreign = await send(route, key, {
            ...theirs,
            workspace: 'mine',
          });
          const absent = await send(route, key, absentTargets);
          expect([foreign.status, plain(foreign.text)]).toEqual([404, plain(absent.text)]);
          if (route.access === 'person') return;
          const misplacing = { ...ours, workspace: 'theirs' };
          const misplaced = await send(route, operator, misplacing, { workspaceHeader: 'theirs' });
          expect([misplaced.status, plain(misplaced.text)]).toEqual([404, plain(absent.text)]);
        });
      });
    }

    it('is open to an operator in every workspace that is there', async () => {
      if (route.access === 'person' || endsWorkspace(route)) return;
      for (const slug of ['mine', 'theirs'] as const) {
        const targets = await makeTargets(slug, route.path);
        const answer = await send(route, operator, targets, { workspaceHeader: slug });
        expect([slug, answer.status]).toEqual([slug, route.success]);
      }
      // These make the workspace that they are about.
      if (['createApiKey', 'createSandbox'].includes(route.operationId)) return;
      const missing = { ...ours, workspace: 'nobodys' };
      const absent = await send(route, operator, missing, { workspaceHeader: 'nobodys' });
      expect([absent.status, absent.code]).toEqual([404, 'workspace_not_found']);
    });
  },
);

describe.each(operatorRoutes.map((route) => [`${route.method} ${route.path}`, route] as const))(
  '%s, which is the operator\u2019s,',
  (_, route) => {
    it('is closed to every credential that is none, and to every key of a workspace', async () => {
      test.clock.currentMs += 60_000;
      await changingNothing(async () => {
        for (const [kind, text] of strangers) {
          expect([kind, (await send(route, text, ours)).status]).toEqual([kind, 401]);
        }
        for (const [kind, text] of known) {
          expect([kind, (await send(route, text, ours)).status]).toEqual([kind, 403]);
        }
        for (const key of [...withOnly.values(), ...withAllBut.values()]) {
          for (const targets of [ours, theirs, { ...ours, workspace: 'nobodys' }]) {
            const { status, code } = await send(route, key, targets);
            expect([status, code]).toEqual([403, 'access_denied']);
          }
        }
      });
    });

    it('is open to an operator who has its scope, about every workspace under all its names', async () => {
      const others = scopes.filter((scope) => scope !== route.access);
      const lacking = await test.issue({ scopes: others });
      const refused = await send(route, lacking.text, ours);
      expect([refused.status, refused.code]).toEqual([403, 'scope_missing']);
      for (const workspace of [...names.mine, ...names.theirs]) {
        const targets = { ...(await makeTargets('mine', route.path)), workspace };
        const answer = await send(route, operator, targets);
        expect([workspace, answer.status]).toEqual([workspace, route.success]);
      }
      if (!route.workspaceIn.path) return;
      const conflict = await send(route, operator, ours, { workspaceHeader: 'theirs' });
      expect([conflict.status, conflict.code]).toEqual([400, 'tenant_conflict']);
      expect((await send(route, operator, { ...ours, workspace: 'nobodys' })).status).toBe(404);
    });
  },
);

describe.each(publicRoutes.map((route) => [`${route.method} ${route.path}`, route] as const))(
  '%s, which is public,',
  (_, route) => {
    it('answers the same whatever credential comes along', async () => {
      await changingNothing(async () => {
        // Refused strangers are budgeted per address and minute.
        test.clock.currentMs += 60_000;
        const plain = await send(route, null, ours);
        const refused = refusedSamples[route.operationId];
        expect([plain.status, plain.code]).toEqual(refused ?? [route.success, null]);
        for (const key of [strangers[4]?.[1] ?? '', operator]) {
          const answer = await send(route, key, ours, { workspaceHeader: 'theirs' });
          expect([answer.status, answer.text]).toEqual([plain.status, plain.text]);
        }
      });
    });
  },
);
