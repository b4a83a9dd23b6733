import { createUser, type Role, roles, type User } from '@sandgate/core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type ModboxCall, modboxClient } from '../support/modbox-client.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
const password = 'correct horse battery';
let test: TestApp;
let client: ReturnType<typeof modboxClient>;

interface Person {
  readonly user: User;
  readonly token: string;
}
let count = 0;
async function newPerson(): Promise<Person> {
  count += 1;
  const user = await createUser(
    { ...test.keyDependencies, hasher: test.people.hasher },
    { email: `person${count}@example.com`, name: `Person ${count}`, password },
  );
  return { user, token: (await client.tokens(user.email, password)).access_token };
}
const as = ({ token }: Person, workspace?: string): ModboxCall => ({
  token,
  ...(workspace === undefined ? {} : { workspace }),
});

interface Team {
  readonly id: string;
  readonly slug: string;
  readonly people: Readonly<Record<Role | 'stranger', Person>>;
}

/** A workspace with one person in each role, and one who is in none. */
async function newTeam(): Promise<Team> {
  const owner = await newPerson();
  const people: Record<string, Person> = { owner, stranger: await newPerson() };
  const made = await client.call('POST', '/workspaces', { name: 'The Team' }, as(owner));
  expect(made.status).toBe(201);
  for (const role of roles.filter((each) => each !== 'owner')) {
    const person = await newPerson();
    const body = { email: person.user.email, role };
    const added = await client.call('POST', `/workspaces/${made.body.id}/members`, body, as(owner));
    expect([added.status, added.body.status]).toEqual([201, 'added']);
    people[role] = person;
  }
  return { id: made.body.id, slug: made.body.realm, people: people as Team['people'] };
}

let team: Team;
beforeAll(async () => {
  test = await createTestApp(folder);
  client = modboxClient(test);
  team = await newTeam();
});

describe('a workspace', () => {
  it('is made, listed, read, renamed and closed by its owner', async () => {
    const owner = await newPerson();
    const call = (method: string, path: string, body?: unknown) =>
      client.call(method, path, body, as(owner));
    const made = await call('POST', '/workspaces', { name: 'Project Web', description: 'a site' });
    expect(made.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      name: 'Project Web',
      description: 'a site',
      realm: expect.stringMatching(/^project-web-[0-9a-f]{8}$/),
      created_by: owner.user.id,
      created_at: expect.any(String),
      updated_at: expect.any(String),
      role: 'owner',
      members: [
        {
          user_id: owner.user.id,
          role: 'owner',
          email: owner.user.email,
          name: owner.user.name,
          created_at: expect.any(String),
        },
      ],
    });
    const path = `/workspaces/${made.body.id}`;
    const { workspaces } = (await call('GET', '/workspaces/')).body;
    expect(workspaces.map(({ name }: { name: string }) => name).toSorted()).toEqual([
      owner.user.name,
      'Project Web',
    ]);
    expect((await call('PUT', path, { name: 'Renamed' })).body).toMatchObject({
      name: 'Renamed',
      description: 'a site',
      realm: made.body.realm,
    });
    expect((await call('GET', path)).body.name).toBe('Renamed');
    expect((await call('PUT', path, { name: ' ' })).status).toBe(422);
    expect((await call('DELETE', path)).body).toEqual({ success: true });
    expect((await call('GET', path)).status).toBe(404);
    expect((await call('GET', '/workspaces')).body.workspaces).toHaveLength(1);
  });

  it('is made by a key of all workspaces where that may manage them', async () => {
    const make = async (scopes: readonly string[]) => {
      const { text: token } = await test.issue({ scopes });
      return await client.call('POST', '/workspaces', { name: 'For others' }, { token });
    };
    expect((await make(['usage:read'])).status).toBe(403);
    expect((await make(['workspace:manage'])).status).toBe(201);
  });

  it('takes a slug of its own, which nobody else has', async () => {
    const owner = await newPerson();
    const make = (slug: string) =>
      client.call('POST', '/workspaces', { name: 'x', slug }, as(owner));
    expect((await make('project-x')).body.realm).toBe('project-x');
    expect((await make('project-x')).status).toBe(409);
    expect((await make('no slug')).status).toBe(422);
  });

  it('is the same for who is no member, and where there is none', async () => {
    const { stranger } = team.people;
    const unknown = '00000000-0000-4000-8000-000000000000';
    const answers = [
      await client.call('GET', `/workspaces/${team.id}`, undefined, as(stranger)),
      await client.call('GET', `/workspaces/${unknown}`, undefined, as(stranger)),
      await client.call('GET', '/auth/me', undefined, as(stranger, team.id)),
      await client.call('GET', '/auth/me', undefined, as(stranger, unknown)),
    ];
    for (const { status, text } of answers) {
      expect([status, text]).toEqual([404, '{"detail":"Workspace not found"}']);
    }
  });

  it('is told of to no stranger, not by what another header names either', async () => {
    const uuid = (await test.storage.workspaces.findBySlug(team.slug))?.uuid ?? '';
    for (const named of [team.slug, 'something-else']) {
      const answer = await client.call('GET', `/workspaces/${named}`, undefined, {
        workspace: uuid,
      });
      expect(answer.status, named).toBe(401);
    }
  });

  it('is what X-Workspace-Id says, at every door, and must not be named twice', async () => {
    const { member } = team.people;
    const headers = { 'x-workspace-id': team.id };
    const me = await test.api('GET', '/me', member.token, undefined, headers);
    expect(me.body).toMatchObject({ role: 'member', workspace: { uuid: team.id } });
    const namespace = { sandbox: 'box', namespace: team.slug };
    expect((await test.call('sandbox.start', namespace, member.token)).status).toBe(200);
    const home = await test.storage.workspaces.findById(member.user.homeWorkspaceId);
    const path = `/workspaces/${team.id}`;
    const twice = await client.call('GET', path, undefined, as(member, home?.uuid));
    expect(twice.status).toBe(400);
  });

  it('is closed in two steps: gone for everybody at once, then purged', async () => {
    const closing = await newTeam();
    const { owner, member } = closing.people;
    const started = { sandbox: 'box', namespace: closing.slug };
    await test.call('sandbox.start', started, member.token);
    const issued = await test.api(
      'POST',
      '/api-keys',
      owner.token,
      { name: 'ci' },
      { 'x-workspace-id': closing.id },
    );
    const key = issued.body.key;
    expect((await test.api('GET', '/me', key)).status).toBe(200);
    const workspace = await test.storage.workspaces.findBySlug(closing.slug);
    if (workspace === null) throw new Error('The workspace is not there.');
    await test.sandboxes.createVolume(workspace, { name: 'data', sizeMib: 1 });
    await test.sandboxes.createSnapshot(workspace, 'box', { name: 'before' });
    const closed = await client.call('DELETE', `/workspaces/${closing.id}`, undefined, as(owner));
    expect(closed.status).toBe(200);
    expect((await test.api('GET', '/me', key)).status).toBe(401);
    expect((await client.call('GET', '/auth/me', undefined, as(member, closing.id))).status).toBe(
      404,
    );
    const left = async () => {
      const [closed] = await test.storage.workspaces.listClosed();
      return closed === undefined ? null : await test.storage.sandboxes.list(closed.workspace.id);
    };
    await vi.waitFor(async () => expect(await left()).toEqual([]), 60_000);
    expect(await left()).not.toBeNull();
    test.clock.currentMs += 900_000;
    test.purge.purgeClosed();
    await vi.waitFor(async () => expect(await left()).toBeNull(), 60_000);
    const { entries } = await test.storage.audit.list({ action: 'workspace.purge' }, { limit: 1 });
    const workspaceId = entries[0]?.workspaceId ?? '';
    expect(await test.storage.sandboxes.list(workspaceId)).toEqual([]);
    expect(await test.storage.snapshots.list()).toEqual([]);
    expect(await test.storage.volumes.list()).toEqual([]);
    expect(test.backgroundErrors).toEqual([]);
  });

  it('that cannot be purged keeps nothing of the others', async () => {
    const [stuck, other] = [await newTeam(), await newTeam()];
    const workspace = await test.storage.workspaces.findBySlug(stuck.slug);
    const { volumes } = test.engine;
    if (workspace === null || volumes === undefined) throw new Error('There is nothing to purge.');
    await test.sandboxes.createVolume(workspace, { name: 'data', sizeMib: 1 });
    test.engine.volumes = { ...volumes, remove: () => Promise.reject(new Error('bad disk')) };
    for (const { id, people } of [stuck, other]) {
      await client.call('DELETE', `/workspaces/${id}`, undefined, as(people.owner));
    }
    test.clock.currentMs += 900_000;
    test.purge.purgeClosed();
    const left = async () =>
      (await test.storage.workspaces.listClosed()).map((each) => each.workspace.id);
    await vi.waitFor(async () => expect(await left()).toEqual([workspace.id]), 60_000);
    expect(test.backgroundErrors.splice(0).map(String)).toContain('Error: bad disk');
    test.engine.volumes = volumes;
  });

  it('that is a home is neither closed nor handed over', async () => {
    const owner = await newPerson();
    const home = await test.storage.workspaces.findById(owner.user.homeWorkspaceId);
    const path = `/workspaces/${home?.uuid}`;
    expect((await client.call('DELETE', path, undefined, as(owner))).status).toBe(409);
    const guest = await newPerson();
    const body = { email: guest.user.email, role: 'admin' };
    await client.call('POST', `${path}/members`, body, as(owner));
    const to = { user_id: guest.user.id };
    expect((await client.call('POST', `${path}/transfer`, to, as(owner))).status).toBe(409);
  });
});

describe('members', () => {
  it('are refused with the next call after their removal, with token and key, and nowhere else', async () => {
    const changing = await newTeam();
    const { owner, admin } = changing.people;
    const key = (
      await test.api(
        'POST',
        '/api-keys',
        admin.token,
        { name: 'of the admin' },
        { 'x-workspace-id': changing.id },
      )
    ).body.key;
    const follower = (await client.call('POST', '/api-tokens', {}, as(admin))).body.token;
    const here = (token: string) =>
      client.call('GET', `/workspaces/${changing.id}`, undefined, { token });
    for (const token of [admin.token, key, follower]) expect((await here(token)).status).toBe(200);
    const path = `/workspaces/${changing.id}/members/${admin.user.id}`;
    expect((await client.call('DELETE', path, undefined, as(owner))).status).toBe(200);
    for (const token of [admin.token, key, follower]) expect((await here(token)).status).toBe(404);
    expect((await test.api('GET', '/me', key)).status).toBe(403);
    expect((await test.call('sandbox.metrics.get', {}, key)).status).toBe(403);
    for (const token of [admin.token, follower]) {
      expect((await test.api('GET', '/me', token)).body.role).toBe('owner');
    }
  });

  it('are given no role by a key that may do less than the role', async () => {
    const fresh = await newTeam();
    const { owner, member } = fresh.people;
    const key = async (fields: object): Promise<string> => {
      const at = { 'x-workspace-id': fresh.id };
      const made = await test.api('POST', '/api-keys', owner.token, { name: 'k', ...fields }, at);
      return made.body.key;
    };
    const add = (token: string, role: Role) => {
      const body = { email: 'accomplice@example.com', role };
      return client.call('POST', `/workspaces/${fresh.id}/members`, body, { token });
    };
    const path = `/workspaces/${fresh.id}/members/${member.user.id}`;
    const narrow = await key({ scopes: ['workspace:manage', 'workspace:read', 'usage:read'] });
    for (const role of ['admin', 'member', 'viewer'] as const) {
      expect((await add(narrow, role)).status, role).toBe(403);
    }
    expect((await client.call('PUT', path, { role: 'admin' }, { token: narrow })).status).toBe(403);
    const bound = await key({ restrictions: { sandbox_name_prefix: 'ci-' } });
    expect((await add(bound, 'viewer')).body.detail).toMatch(/sandboxes of other names/);
    expect((await add(await key({}), 'viewer')).status).toBe(201);
  });

  it('lose rights with their role, and their keys with them', async () => {
    const changing = await newTeam();
    const { owner, admin } = changing.people;
    const headers = { 'x-workspace-id': changing.id };
    const { key } = (await test.api('POST', '/api-keys', admin.token, { name: 'k' }, headers)).body;
    expect((await test.api('GET', '/api-keys', key)).status).toBe(200);
    const path = `/workspaces/${changing.id}/members/${admin.user.id}`;
    await client.call('PUT', path, { role: 'viewer' }, as(owner));
    expect((await test.api('GET', '/api-keys', key)).status).toBe(403);
    expect((await test.api('GET', '/me', key)).body.scopes).not.toContain('sandbox:exec');
    expect((await test.api('GET', '/api-keys', admin.token, undefined, headers)).status).toBe(403);
  });

  it('leave by themselves, but not the owner', async () => {
    const leaving = await newTeam();
    const leave = ({ user, token }: Person) =>
      client.call('DELETE', `/workspaces/${leaving.id}/members/${user.id}`, undefined, { token });
    expect((await leave(leaving.people.viewer)).status).toBe(200);
    expect((await leave(leaving.people.viewer)).status).toBe(404);
    expect((await leave(leaving.people.owner)).status).toBe(409);
  });

  it('are never a second owner; an owner hands over, and is an admin then', async () => {
    const passing = await newTeam();
    const { owner, admin, member, stranger } = passing.people;
    const path = `/workspaces/${passing.id}`;
    const post = (where: string, body: unknown, by: Person) =>
      client.call('POST', `${path}${where}`, body, as(by));
    const asOwner = { email: stranger.user.email, role: 'owner' };
    expect((await post('/members', asOwner, owner)).status).toBe(409);
    const promote = { role: 'owner' };
    const memberPath = `${path}/members/${member.user.id}`;
    expect((await client.call('PUT', memberPath, promote, as(owner))).status).toBe(409);
    const demote = `${path}/members/${owner.user.id}`;
    expect((await client.call('PUT', demote, { role: 'viewer' }, as(admin))).status).toBe(409);
    const toMember = { user_id: member.user.id };
    expect((await post('/transfer', toMember, admin)).status).toBe(403);
    expect((await post('/transfer', { user_id: stranger.user.id }, owner)).status).toBe(404);
    const handed = await post('/transfer', toMember, owner);
    const now = Object.fromEntries(
      handed.body.members.map(({ user_id, role }: Record<string, string>) => [user_id, role]),
    );
    expect([now[member.user.id], now[owner.user.id]]).toEqual(['owner', 'admin']);
    expect((await client.call('DELETE', path, undefined, as(owner))).status).toBe(403);
    expect((await client.call('DELETE', path, undefined, as(member))).status).toBe(200);
  });

  it('who act as others are not to be had: an admin cannot take the key of the owner', async () => {
    const guarded = await newTeam();
    const { owner, admin } = guarded.people;
    const headers = { 'x-workspace-id': guarded.id };
    const { body } = await test.api('POST', '/api-keys', owner.token, { name: 'k' }, headers);
    const attempt = (path: string, fields: object) =>
      test.api('POST', `/api-keys/${body.id}${path}`, admin.token, fields, headers);
    expect((await attempt('/rotate', {})).status).toBe(403);
    expect((await attempt('/children', { name: 'child' })).status).toBe(403);
    expect((await attempt('/revoke', {})).status).toBe(200);
  });
});

describe('invitations', () => {
  let team: Team;
  beforeAll(async () => {
    team = await newTeam();
  });

  it('give a person without an account one, and a place, once', async () => {
    const { owner } = team.people;
    const invite = (email: string) =>
      client.call('POST', `/workspaces/${team.id}/members`, { email, role: 'viewer' }, as(owner));
    const invited = await invite('New.Person@Example.com');
    const { token, id } = invited.body.invitation;
    expect(invited.body).toMatchObject({ status: 'invited', email: 'new.person@example.com' });
    const shown = await client.call('POST', '/auth/invitations/show', { token });
    expect(shown.body).toMatchObject({ role: 'viewer', workspace: { name: 'The Team' } });
    const list = async () =>
      (await client.call('GET', `/workspaces/${team.id}/invitations`, undefined, as(owner))).body
        .invitations;
    expect(await list()).toMatchObject([{ id, email: 'new.person@example.com' }]);
    const accept = (fields: object = {}) =>
      client.call('POST', '/auth/invitations/accept', { token, password, name: 'New', ...fields });
    expect((await accept({ token: 'invite_wrong' })).status).toBe(404);
    expect((await accept({ password: 'short' })).status).toBe(422);
    const accepted = await accept();
    expect([accepted.status, accepted.body.success]).toEqual([201, true]);
    const me = await client.call('GET', '/auth/me', undefined, {
      token: accepted.body.tokens.access_token,
      workspace: team.id,
    });
    expect(me.body).toMatchObject({
      email: 'new.person@example.com',
      workspace: { role: 'viewer' },
    });
    expect((await accept()).status).toBe(404);
    expect(await list()).toEqual([]);
    const user = await test.storage.users.findByEmail('new.person@example.com');
    expect(user?.emailVerified).toBe(false);
  });

  it('are what an account of an unproven address gets, which anybody may have made', async () => {
    const { owner, stranger, member } = team.people;
    const invite = (by: Person, workspace: string) =>
      client.call(
        'POST',
        `/workspaces/${workspace}/members`,
        { email: 'chief@example.com', role: 'admin' },
        as(by),
      );
    const home = (await test.storage.workspaces.findById(stranger.user.homeWorkspaceId))?.uuid;
    const squatting = (await invite(stranger, home ?? '')).body.invitation;
    const body = { token: squatting.token, password };
    const { tokens } = (await client.call('POST', '/auth/invitations/accept', body)).body;
    const squatter: Person = { ...member, token: tokens.access_token };
    const invited = await invite(owner, team.id);
    expect(invited.body.status).toBe('invited');
    const look = () => client.call('GET', `/workspaces/${team.id}`, undefined, as(squatter));
    expect((await look()).status).toBe(404);
    const { token } = invited.body.invitation;
    await client.call('POST', '/auth/invitations/join', { token }, as(squatter));
    expect((await look()).status).toBe(200);
  });

  it('are for their own address, and can be withdrawn', async () => {
    const { owner, stranger } = team.people;
    const invite = (email: string) =>
      client.call('POST', `/workspaces/${team.id}/members`, { email, role: 'member' }, as(owner));
    const first = (await invite('later@example.com')).body.invitation;
    const join = (token: string, person: Person) =>
      client.call('POST', '/auth/invitations/join', { token }, as(person));
    expect((await join(first.token, stranger)).status).toBe(404);
    const user = await createUser(
      { ...test.keyDependencies, hasher: test.people.hasher },
      { email: 'later@example.com', password },
    );
    const later = { user, token: (await client.tokens(user.email, password)).access_token };
    const accept = { token: first.token, password };
    expect((await client.call('POST', '/auth/invitations/accept', accept)).status).toBe(409);
    expect((await join(first.token, later)).body).toMatchObject({ success: true, role: 'member' });

    const second = (await invite('never@example.com')).body.invitation;
    const path = `/workspaces/${team.id}/invitations/${second.id}`;
    expect((await client.call('DELETE', path, undefined, as(owner))).status).toBe(200);
    expect((await client.call('DELETE', path, undefined, as(owner))).status).toBe(404);
    expect(
      (await client.call('POST', '/auth/invitations/show', { token: second.token })).status,
    ).toBe(404);
    test.clock.currentMs += 1;
    const third = (await invite('late@example.com')).body.invitation;
    test.clock.currentMs += 7 * 86_400_000;
    expect(
      (await client.call('POST', '/auth/invitations/show', { token: third.token })).status,
    ).toBe(404);
  });
});

/** Of the routes there is a matrix; these are methods. */
describe('the roles at the microsandbox door', () => {
  it.each([
    ['sandbox.start', { sandbox: 'box-of-roles' }, ['owner', 'admin', 'member']],
    ['sandbox.metrics.get', {}, roles],
    ['sandbox.command.run', { sandbox: 'none', command: 'ls' }, ['owner', 'admin', 'member']],
    ['sandbox.stop', { sandbox: 'none' }, ['owner', 'admin', 'member']],
  ] as const)('holds at %s', async (method, params, may) => {
    test.clock.currentMs += 60_000;
    const fresh = await newTeam();
    for (const role of roles) {
      const namespace = fresh.slug;
      const answer = await test.call(method, { namespace, ...params }, fresh.people[role].token);
      const refused = answer.body?.code === 3003;
      expect([role, refused]).toEqual([role, !(may as readonly Role[]).includes(role)]);
    }
  });
});
