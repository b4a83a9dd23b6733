import { revokeKey, type Sandbox } from '@sandgate/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { allRoutes } from '../../packages/server/src/http/native/all-routes.ts';
import { openApiDocument } from '../../packages/server/src/http/native/openapi-document.ts';
import { documentedRoutes, type OpenApiPaths } from '../support/documented-routes.ts';
import { makeRouteTargets, sendRequest } from '../support/route-requests.ts';
import { absentTargets, type SampleTargets } from '../support/route-samples.ts';
import { storedState } from '../support/stored-state.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const routes = documentedRoutes(openApiDocument(allRoutes, '0').paths as unknown as OpenApiPaths);
const guarded = routes.filter(({ access, operatorOnly }) => access !== 'public' && !operatorOnly);
const named = (chosen: typeof routes) =>
  chosen.map((route) => [`${route.method} ${route.path}`, route] as const);

const folder = temporaryFolder();
let test: TestApp;

beforeAll(async () => {
  test = await createTestApp(folder, {
    policy: { maxSandboxes: 1_000 },
    stored: { sandboxesPerWorkspace: 1_000, sandboxes: 2_000 },
  });
  await test.issue({ namespace: 'mine' });
});

async function makeSandbox(): Promise<Sandbox> {
  const workspace = await test.storage.workspaces.findBySlug('mine');
  if (workspace === null) throw new Error('The workspace is gone.');
  return await test.sandboxes.create(workspace, { template: 'python' });
}

describe('a child key that is bound to one living sandbox', () => {
  let parent: string;
  let bound: string;
  let ownSandbox: Sandbox;

  beforeAll(async () => {
    ownSandbox = await makeSandbox();
    const issued = await test.issue({ namespace: 'mine' });
    parent = issued.text;
    const child = await test.issue({
      namespace: 'mine',
      parentNumber: issued.key.number,
      restrictions: { sandboxId: ownSandbox.id },
    });
    bound = child.text;
  });

  /** As the server writes down what is done to sandboxes. */
  async function recordAbout(...targets: readonly string[]): Promise<void> {
    const workspace = await test.storage.workspaces.findBySlug('mine');
    const { auditLog } = test.keyDependencies;
    await auditLog.recordAll(
      targets.map((target) => ({
        actor: { kind: 'operator' },
        action: 'sandbox.pause',
        target,
        workspaceId: workspace?.id ?? null,
      })),
    );
  }

  /** What a path names that belongs to some sandbox, or could be any sandbox's. */
  const ofSandbox = /\{(sandbox|snapshot|volume)\}/;
  const ofSandboxes = guarded.filter(({ path }) => ofSandbox.test(path));
  it.each(named(ofSandboxes))('%s: another living one is not there for it', async (_, route) => {
    const targets = await makeRouteTargets(test, 'mine', route.path);
    const plain = (text: string) => text.replace(/'[0-9a-f]{24}'/g, 'it');
    const before = storedState(folder);
    const refused = await sendRequest(test, route, bound, targets);
    const absent = await sendRequest(test, route, bound, absentTargets);
    expect([refused.status, plain(refused.text)]).toEqual([absent.status, plain(absent.text)]);
    // What it may do to none of them tells nothing of which there are.
    const isRefused = ['deleteVolume', 'restoreSnapshot'].includes(route.operationId);
    expect(refused.status).toBe(isRefused ? 403 : 404);
    expect(storedState(folder) === before).toBe(true);
  });

  /** What cannot be done by whoever reaches one sandbox and no other. */
  const refusedRoutes: Readonly<Record<string, string>> = {
    createSandbox: 'key_restricted',
    createVolume: 'key_restricted',
    rotateApiKey: 'grant_exceeded',
    enableApiKey: 'grant_exceeded',
    createWorkspace: 'user_required',
    closeWorkspace: 'role_refused',
    transferWorkspace: 'role_refused',
    addMember: 'grant_exceeded',
    changeRole: 'grant_exceeded',
    createInvitation: 'grant_exceeded',
  };
  const others = guarded.filter(({ path }) => !ofSandbox.test(path));
  it.each(named(others))('%s: nothing of another living one', async (_, route) => {
    // Asked for and used over HTTP, so that usage and audit tell of it.
    const made = await test.api('POST', '/sandboxes', parent, { template: 'python' });
    const other: { readonly id: string; readonly name: string } = made.body;
    await test.api('POST', `/sandboxes/${other.id}/exec`, parent, { command: 'true' });
    await recordAbout(`sandbox:${ownSandbox.id}`, `sandbox:${other.id}`, `snapshot:${other.id}`);
    const targets = await makeRouteTargets(test, 'mine', route.path);
    const { code, status, text } = await sendRequest(test, route, bound, targets);
    const refusal = route.access === 'person' ? 'user_required' : refusedRoutes[route.operationId];
    if (route.operationId === 'createSnapshot') expect(code).toBe('sandbox_not_found');
    else if (refusal !== undefined) expect([status, code]).toEqual([403, refusal]);
    else expect([status, code]).toEqual([route.success, null]);
    expect(text).not.toContain(other.id);
    expect(text).not.toContain(other.name);
    if (route.operationId === 'listAudit') expect(text).toContain(`sandbox:${ownSandbox.id}`);
    if (route.operationId === 'listSandboxes') {
      expect(JSON.parse(text).sandboxes.map(({ id }: Sandbox) => id)).toEqual([ownSandbox.id]);
    }
  });
});

describe('a key that may only make children of its own', () => {
  /** A key with `key:mint`, its child and that one's, and a key of the same workspace that is neither. */
  async function makeFamily() {
    const minter = await test.issue({ namespace: 'mine', scopes: ['key:mint', 'mcp:call'] });
    const childOf = async (parentNumber: number) =>
      await test.issue({ namespace: 'mine', parentNumber, scopes: ['mcp:call'] });
    const child = await childOf(minter.key.number);
    const grandchild = await childOf(child.key.number);
    const targets = (key: number): SampleTargets => ({ ...absentTargets, key });
    return { minter, child, grandchild, targets };
  }
  const body = { scopes: ['mcp:call'] };
  const minting = guarded.filter(({ ownChildren }) => ownChildren);

  it('may make, see and revoke keys, and nothing else', () => {
    expect(minting.map(({ operationId }) => operationId).toSorted()).toEqual([
      'createApiKey',
      'createChildApiKey',
      'deleteApiKey',
      'getApiKey',
      'listApiKeys',
      'revokeApiKey',
    ]);
  });

  it.each(named(minting.filter(({ path }) => path.includes('{id}'))))(
    '%s: is open about its descendants, and about no others',
    async (_, route) => {
      const { minter, child, grandchild, targets } = await makeFamily();
      const stranger = await test.issue({ namespace: 'mine' });
      const changes = route.hasBody ? { body } : {};
      const send = async (key: number) =>
        await sendRequest(test, route, minter.text, targets(key), changes);
      const absent = await send(absentTargets.key);
      expect(absent.status).toBe(404);
      const before = storedState(folder);
      const closed = [stranger.key.number];
      if (route.operationId !== 'createChildApiKey') closed.push(minter.key.number);
      for (const key of closed) expect(await send(key)).toEqual(absent);
      expect(storedState(folder) === before).toBe(true);
      for (const { key } of [grandchild, child]) {
        expect([key.number, (await send(key.number)).status]).toEqual([key.number, route.success]);
      }
    },
  );

  it('lists its own children, or those of a descendant', async () => {
    const { minter, child, grandchild } = await makeFamily();
    const list = async (query = '') => {
      const { status, body: answer } = await test.api('GET', `/api-keys${query}`, minter.text);
      return [status, answer.api_keys?.map(({ id }: { id: number }) => id)];
    };
    expect(await list()).toEqual([200, [child.key.number]]);
    expect(await list(`?parent_id=${minter.key.number}`)).toEqual([200, [child.key.number]]);
    expect(await list(`?parent_id=${child.key.number}`)).toEqual([200, [grandchild.key.number]]);
    const stranger = await test.issue({ namespace: 'mine' });
    expect((await list(`?parent_id=${stranger.key.number}`))[0]).toBe(404);
    await revokeKey(test.keyDependencies, child.key.id);
    expect(await list()).toEqual([200, []]);
    expect(await list('?state=revoked')).toEqual([200, [child.key.number]]);
  });

  it('makes children of itself that reach no further than it does', async () => {
    const { minter } = await makeFamily();
    const made = await test.api('POST', '/api-keys', minter.text, { name: 'job', ...body });
    expect([made.status, made.body.parent_id]).toEqual([200, minter.key.number]);
    const wider = { name: 'wider', scopes: ['sandbox:read'] };
    const refused = await test.api('POST', '/api-keys', minter.text, wider);
    expect([refused.status, refused.body.detail]).toEqual([
      403,
      'An API key can give no more than it has itself, and not the scopes sandbox:read',
    ]);
    const manager = await test.issue({ namespace: 'mine', scopes: ['key:manage'] });
    const child = await test.api('POST', '/api-keys', manager.text, {
      name: 'a',
      scopes: ['key:mint'],
    });
    expect(child.status).toBe(200);
    const back = await test.api('POST', '/api-keys', minter.text, {
      name: 'a',
      scopes: ['key:manage'],
    });
    expect(back.status).toBe(403);
  });

  it('is of one workspace: a key of all of them has no children, and needs key:manage', async () => {
    const everywhere = await test.issue({ scopes: ['key:mint'] });
    const before = storedState(folder);
    const request = { name: 'free', workspace: 'new-place', scopes: ['key:mint'] };
    const { status, body: answer } = await test.api('POST', '/api-keys', everywhere.text, request);
    expect([status, answer.detail]).toEqual([403, 'This API key lacks the scope key:manage']);
    expect(storedState(folder) === before).toBe(true);
  });
});
