import type { Role, User, Workspace } from '@sandgate/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { modboxRoutes } from '../../packages/server/src/http/dialects/modbox/modbox-routes.ts';
import { allRoutes } from '../../packages/server/src/http/native/all-routes.ts';
import { roleTable, type Who } from '../support/role-table.ts';
import { absentTargets, routeSamples, samplePath } from '../support/route-samples.ts';
import { samplePassword, samplePeople } from '../support/sample-people.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

let test: TestApp;
let people: ReturnType<typeof samplePeople>;
let team: Team;
let stranger: User;
/** A key of somebody who has been removed, bound to the team. */
let leftKey: string;

interface Team {
  readonly workspace: Workspace;
  readonly members: Readonly<Record<Role, User>>;
}

beforeAll(async () => {
  test = await createTestApp(temporaryFolder(), {
    policy: { maxSandboxes: 1_000 },
    stored: { sandboxesPerWorkspace: 1_000 },
  });
  people = samplePeople(test);
  team = await newTeam();
  stranger = await people.newUser();
  const left = await people.newUser();
  await people.join(team.workspace, left, 'admin');
  const { slug, id } = team.workspace;
  leftKey = (
    await test.issue({ namespace: slug, owner: { ownerId: left.id, followsOwner: false } })
  ).text;
  await test.storage.members.remove(id, left.id);
});

async function newTeam(): Promise<Team> {
  const { key } = await test.issue({ namespace: `team-${people.newEmail().split('@')[0]}` });
  const workspace = await test.storage.workspaces.findById(key.workspaceId ?? '');
  if (workspace === null) throw new Error('The workspace is gone.');
  const members: Partial<Record<Role, User>> = {};
  for (const role of ['owner', 'admin', 'member', 'viewer'] as const) {
    members[role] = await people.newUser();
    await people.join(workspace, members[role], role);
  }
  return { workspace, members: members as Team['members'] };
}

/** Bodies of the Modbox door; those of the native one are its samples. */
const modboxBodies: Readonly<Record<string, (guest: User) => object>> = {
  'POST /auth/password': () => ({ old_password: samplePassword, new_password: samplePassword }),
  'POST /auth/sso/{provider}/link': () => ({}),
  'POST /auth/invitations/join': () => ({ token: absentTargets.invitationToken }),
  'POST /api-tokens': () => ({}),
  'POST /workspaces': () => ({ name: 'sample' }),
  'PUT /workspaces/{workspace_id}': () => ({ description: 'changed' }),
  'POST /workspaces/{workspace_id}/transfer': ({ id }) => ({ user_id: id }),
  'POST /workspaces/{workspace_id}/members': () => ({ email: people.newEmail(), role: 'viewer' }),
  'PUT /workspaces/{workspace_id}/members/{user_id}': () => ({ role: 'viewer' }),
  'POST /sandboxes/provision': () => ({ task_id: people.newEmail().split('@')[0] }),
  'POST /sandbox-images': () => ({ name: 'sample', image: 'python' }),
  'PUT /sandbox-images/{image_id}': () => ({ name: 'changed' }),
  'POST /registries': () => ({
    ...{ name: 'sample', server: 'registry.example' },
    ...{ username: 'puller', password: 'of the registry' },
  }),
  'PUT /registries/{registry_id}': () => ({ name: 'changed' }),
  'POST /sandboxes/wait': () => ({ task_id: 'absent' }),
  'POST /sandboxes/destroy': () => ({ task_id: 'absent' }),
};

interface MatrixRoute {
  readonly name: string;
  readonly isPublic: boolean;
  readonly send: (credential: string, at: Team, guest: User) => Promise<Answer>;
}

/** `refused`: may not do it here. `hidden`: there is no such workspace for them. */
type Answer = 'done' | 'refused' | 'hidden';

const nameOf = ({ method, path }: { readonly method: string; readonly path: string }): string =>
  `${method.toUpperCase()} ${path}`;

const refusals = ['scope_missing', 'role_refused', 'user_required'];

async function ask(
  method: string,
  path: string,
  credential: string,
  at: Team,
  body?: object,
): Promise<Answer> {
  const response = await test.app.request(path, {
    method,
    headers: {
      authorization: `Bearer ${credential}`,
      'x-workspace-id': at.workspace.uuid,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const code = response.headers.get('x-error-code') ?? '';
  await response.body?.cancel();
  // 501: the engine of the test cannot do that, which it is asked behind every check.
  expect([method, path, [401, 500, 503].includes(response.status)]).toEqual([method, path, false]);
  if (code === 'access_denied') return 'hidden';
  return refusals.includes(code) ? 'refused' : 'done';
}

const native: readonly MatrixRoute[] = allRoutes.map((route) => ({
  name: nameOf(route),
  isPublic: route.access === 'public',
  async send(credential, at, guest) {
    const targets = {
      ...absentTargets,
      workspace: at.workspace.slug,
      user: guest.number,
      email: people.newEmail(),
    };
    const sample = routeSamples[route.operationId]?.(targets) ?? {};
    const path = samplePath(route.path, sample, targets);
    const query = route.forwards === true ? '' : `?${new URLSearchParams(sample.query)}`;
    const method = route.method.toUpperCase();
    return await ask(method, `${path}${query}`, credential, at, sample.body);
  },
}));

const modbox: readonly MatrixRoute[] = modboxRoutes.map((route) => ({
  name: nameOf(route),
  isPublic: route.access === 'public',
  async send(credential, at, guest) {
    const path = route.path
      .replace('{workspace_id}', at.workspace.uuid)
      .replace('{user_id}', guest.id)
      .replace(/\{\w+\}/g, 'f'.repeat(24));
    const body = modboxBodies[nameOf(route)]?.(guest);
    const method = route.method.toUpperCase();
    return await ask(method, `/modbox${path}`, credential, at, body);
  },
}));

/** After these nobody's other sessions go on. */
const endsSessions = new Set([
  'PUT /api/v1/me/password',
  'DELETE /api/v1/me/sessions',
  'POST /auth/logout-all',
  'POST /auth/password',
]);

const routes = [...native, ...modbox];
const whoseRoute = new Map(
  (Object.entries(roleTable) as [Who, readonly string[]][]).flatMap(([who, names]) =>
    names.map((name) => [name, who] as const),
  ),
);

/** From the least to the mightiest: who is refused has used nothing up. */
const order: readonly Role[] = ['viewer', 'member', 'admin', 'owner'];
const least: Readonly<Record<Exclude<Who, 'anybody' | 'operator'>, Role>> = {
  person: 'viewer',
  viewer: 'viewer',
  member: 'member',
  admin: 'admin',
  owner: 'owner',
};

/** What somebody in the workspace is answered. */
function expectedFor(who: Who | undefined, role: Role): Answer {
  if (who === 'operator') return 'hidden';
  if (who === undefined || who === 'anybody') throw new Error('The table has no row of it.');
  return order.indexOf(role) >= order.indexOf(least[who]) ? 'done' : 'refused';
}

describe.each(
  routes.filter(({ isPublic }) => !isPublic).map((route) => [route.name, route] as const),
)('%s', (name, route) => {
  const who = whoseRoute.get(name);

  it('is open to the roles of its row, and to nobody else', async () => {
    const at = who === 'owner' ? await newTeam() : team;
    const guest = await people.newUser();
    await people.join(at.workspace, guest, 'member');
    const send = async (user: User) => await route.send(await people.newToken(user), at, guest);

    expect(['stranger', await send(stranger)]).toEqual(['stranger', 'hidden']);
    for (const role of order.slice(0, 2)) {
      expect([role, await send(at.members[role])]).toEqual([role, expectedFor(who, role)]);
    }

    const leaver = await people.newUser();
    await people.join(at.workspace, leaver, 'admin');
    // One that stays good, also where the call ends sessions: what is asked is the membership.
    const session = await people.newToken(leaver);
    expect(['leaver', await send(leaver)]).toEqual(['leaver', expectedFor(who, 'admin')]);
    await test.storage.members.remove(at.workspace.id, leaver.id);
    const again = endsSessions.has(name) ? await people.newToken(leaver) : session;
    expect(['removed', await route.send(again, at, guest)]).toEqual(['removed', 'hidden']);
    if (at === team) {
      expect(['key of one who left', await route.send(leftKey, at, guest)]).toEqual([
        'key of one who left',
        'hidden',
      ]);
    }

    for (const role of order.slice(2)) {
      expect([role, await send(at.members[role])]).toEqual([role, expectedFor(who, role)]);
    }
  });
});
