import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { modboxClient } from '../support/modbox-client.ts';
import { samplePassword, samplePeople } from '../support/sample-people.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;
let people: ReturnType<typeof samplePeople>;
let operator: string;

beforeAll(async () => {
  test = await createTestApp(folder);
  people = samplePeople(test);
  operator = (await test.issue()).text;
});
beforeEach(() => {
  // Past every window, so that no test counts against another.
  test.clock.currentMs += 600_000;
});

async function newPerson() {
  const user = await people.newUser();
  return { user, token: await people.newToken(user) };
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
const as =
  (token: string) =>
  (method: Method, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    test.api(method, path, token, body, headers);

describe('people, to an operator', () => {
  const call = (method: Method, path: string, body?: unknown) => as(operator)(method, path, body);

  it('are made, listed in pages, found and shown', async () => {
    const made = await call('POST', '/users', {
      email: 'Ann@Example.com',
      name: 'Ann',
      password: samplePassword,
    });
    expect(made.body).toMatchObject({
      email: 'ann@example.com',
      name: 'Ann',
      is_active: true,
      email_verified: true,
      has_password: true,
      last_login_at: null,
    });
    expect(made.text).not.toMatch(/argon|hash/);
    await call('POST', '/users', { email: 'sso@example.com' });
    const again = await call('POST', '/users', { email: 'ann@example.com' });
    expect([again.status, again.headers.get('x-error-code')]).toEqual([409, 'user_exists']);
    expect((await call('POST', '/users', { email: 'no address' })).status).toBe(400);
    const first = await call('GET', '/users?size=1');
    const second = await call('GET', `/users?size=1&cursor=${first.body.next_cursor}`);
    expect([first.body.total, second.body.users[0].id > first.body.users[0].id]).toEqual([2, true]);
    expect((await call('GET', '/users?q=ANN')).body.users).toMatchObject([{ name: 'Ann' }]);
    for (const name of [made.body.id, made.body.uid, 'ANN@example.com']) {
      const shown = await call('GET', `/users/${name}`);
      expect(shown.body).toMatchObject({ id: made.body.id, workspaces: [{ role: 'owner' }] });
    }
    expect((await call('GET', '/users/999999')).headers.get('x-error-code')).toBe('user_not_found');
  });

  it('are kept out with the next call, and let in again', async () => {
    const { user, token } = await newPerson();
    const { body } = await as(token)('POST', '/api-keys', { name: 'ci' });
    expect((await call('POST', `/users/${user.number}/disable`)).body.is_active).toBe(false);
    expect((await as(token)('GET', '/me')).status).toBe(401);
    expect((await as(body.key)('GET', '/me')).status).toBe(403);
    await call('POST', `/users/${user.number}/enable`);
    expect((await as(token)('GET', '/me')).status).toBe(401);
    expect((await as(body.key)('GET', '/me')).status).toBe(200);
  });

  it('are logged out everywhere, and keep their keys', async () => {
    const { user, token } = await newPerson();
    const { body } = await as(token)('POST', '/api-keys', { name: 'ci' });
    await people.newToken(user);
    expect((await call('DELETE', `/users/${user.id}/sessions`)).body).toEqual({ ended: 2 });
    expect((await call('DELETE', `/users/${user.id}/sessions`)).body).toEqual({ ended: 0 });
    expect((await as(token)('GET', '/me')).status).toBe(401);
    expect((await as(body.key)('GET', '/me')).status).toBe(200);
  });
});

describe('an account, to its person', () => {
  it('has a name and a password that they change', async () => {
    const { user, token } = await newPerson();
    const other = await people.newToken(user);
    expect((await as(token)('PUT', '/me', { name: ' New ' })).body).toMatchObject({ name: 'New' });
    expect((await as(token)('PUT', '/me', { name: 'a\u0007' })).status).toBe(400);
    const change = (old_password: string, new_password: string) =>
      as(token)('PUT', '/me/password', { old_password, new_password });
    expect((await change('wrong one', 'another good one')).status).toBe(401);
    expect((await change(samplePassword, 'short')).status).toBe(400);
    expect((await change(samplePassword, 'another good one')).status).toBe(204);
    expect((await as(token)('GET', '/me')).status).toBe(200);
    expect((await as(other)('GET', '/me')).status).toBe(401);
    expect((await modboxClient(test).logIn(user.email, 'another good one')).status).toBe(200);
  });

  it('has sessions that they end, one or all', async () => {
    const { user, token } = await newPerson();
    test.clock.currentMs += 1;
    const other = await people.newSession(user);
    const stranger = await newPerson();
    const { sessions } = (await as(token)('GET', '/me/sessions')).body;
    expect(sessions.map(({ current }: { current: boolean }) => current)).toEqual([false, true]);
    const path = `/me/sessions/${other.session.id}`;
    expect((await as(stranger.token)('DELETE', path)).status).toBe(404);
    expect((await as(token)('DELETE', path)).status).toBe(204);
    expect((await as(other.accessToken)('GET', '/me')).status).toBe(401);
    expect((await as(token)('DELETE', '/me/sessions')).body).toEqual({ ended: 1 });
    expect((await as(token)('GET', '/me')).status).toBe(401);
  });

  it('is managed by no key, not of the person either', async () => {
    const { token } = await newPerson();
    const { body } = await as(token)('POST', '/api-keys', { name: 'ci' });
    for (const key of [body.key, operator]) {
      const refused = await as(key)('PUT', '/me', { name: 'x' });
      expect([refused.status, refused.headers.get('x-error-code')]).toEqual([403, 'user_required']);
    }
  });
});

describe('the audit', () => {
  it('tells what a person did, to who may know of them', async () => {
    const owner = await newPerson();
    const { body } = await as(owner.token)('POST', '/workspaces', { name: 'Audited' });
    const member = await newPerson();
    const stranger = await newPerson();
    const path = `/workspaces/${body.id}`;
    await as(owner.token)('POST', `${path}/members`, { email: member.user.email, role: 'admin' });
    await as(member.token)('PUT', path, { name: 'Renamed' });
    const list = (by: string, user: string, workspace?: string) =>
      as(by)(
        'GET',
        `/audit?user=${user}${workspace === undefined ? '' : `&workspace=${workspace}`}`,
      );
    const actions = async (user: string) => {
      const { entries } = (await list(owner.token, user, body.id)).body;
      return entries.map(({ action }: { action: string }) => action);
    };
    for (const name of [member.user.email, `${member.user.number}`, member.user.id]) {
      expect(await actions(name)).toEqual(['workspace.update']);
    }
    expect(await actions(owner.user.email)).toContain('member.add');
    const hidden = await list(owner.token, stranger.user.email, body.id);
    const nobody = await list(owner.token, 'nobody@example.com', body.id);
    expect([hidden.status, hidden.text]).toEqual([404, nobody.text]);
    expect((await list(operator, stranger.user.email)).status).toBe(200);
    await as(owner.token)('DELETE', `${path}/members/${member.user.number}`);
    expect((await list(operator, member.user.email)).body.entries).toMatchObject([
      { action: 'workspace.update', actor: { kind: 'user', user_id: member.user.number } },
    ]);
  });
});

describe('a workspace', () => {
  async function newTeam() {
    const owner = await newPerson();
    const made = await as(owner.token)('POST', '/workspaces', { name: 'The Team' });
    return { owner, made: made.body, path: `/workspaces/${made.body.id}` };
  }

  it('is made, listed, read, renamed and closed by its owner', async () => {
    const { owner, made, path } = await newTeam();
    const call = as(owner.token);
    expect(made).toMatchObject({ name: 'The Team', role: 'owner', plan: 'standard' });
    const { workspaces } = (await call('GET', '/workspaces')).body;
    expect(workspaces).toHaveLength(2);
    for (const name of [made.id, made.uuid, made.slug]) {
      expect((await call('GET', `/workspaces/${name}`)).body).toEqual(made);
    }
    expect((await call('PUT', path, { description: 'of us' })).body).toMatchObject({
      name: 'The Team',
      description: 'of us',
      slug: made.slug,
    });
    expect((await call('PUT', path, { name: ' ' })).status).toBe(400);
    expect((await call('DELETE', path)).status).toBe(204);
    expect((await call('GET', path)).headers.get('x-error-code')).toBe('access_denied');
    test.purge.purgeClosed();
    test.clock.currentMs += 900_000;
    test.purge.purgeClosed();
    await vi.waitFor(
      async () => expect(await test.storage.workspaces.listClosed()).toEqual([]),
      60_000,
    );
  });

  it('is made by an operator for somebody, or for nobody who then gets it', async () => {
    const { user, token } = await newPerson();
    const call = as(operator);
    const theirs = await call('POST', '/workspaces', { name: 'Theirs', owner: user.email });
    expect((await as(token)('GET', `/workspaces/${theirs.body.slug}`)).body.role).toBe('owner');
    const nobodys = await call('POST', '/workspaces', { name: 'New', slug: 'new-one' });
    expect(nobodys.body.role).toBeNull();
    const path = '/workspaces/new-one';
    await call('POST', `${path}/members`, { email: user.email, role: 'viewer' });
    expect((await call('POST', `${path}/transfer`, { user: `${user.number}` })).status).toBe(200);
    expect((await as(token)('GET', path)).body.role).toBe('owner');
    const said = await as(token)('POST', '/workspaces', { name: 'x', owner: user.email });
    expect(said.status).toBe(400);
  });

  it('is one of so many that a person may own, however many are asked for at once', async () => {
    const bounded = await createTestApp(temporaryFolder(), {
      identity: { workspacesPerPerson: 3 },
    });
    const bare = samplePeople(bounded);
    const [one, other] = [await bare.newUser(), await bare.newUser()];
    const [token, others] = [await bare.newToken(one), await bare.newToken(other)];
    const make = (by: string, fields: object = {}) =>
      bounded.api('POST', '/workspaces', by, { name: 'x', ...fields });
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => make(token)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 409, 409, 409]);
    const refused = answers.find(({ status }) => status === 409);
    expect(refused?.headers.get('x-error-code')).toBe('quota_exceeded');
    const path = `/workspaces/${(await make(others)).body.id}`;
    await bounded.api('POST', `${path}/members`, others, { email: one.email, role: 'viewer' });
    const handOver = () =>
      bounded.api('POST', `${path}/transfer`, others, { user: `${one.number}` });
    expect((await handOver()).headers.get('x-error-code')).toBe('quota_exceeded');
    const { text } = await bounded.issue();
    const given = await make(text, { owner: one.email });
    expect(given.status).toBe(200);
    for (const { body } of [given, ...answers.filter(({ status }) => status === 200)]) {
      expect((await bounded.api('DELETE', `/workspaces/${body.id}`, token)).status).toBe(204);
    }
    expect((await handOver()).status).toBe(200);
  });

  it('has members who come, change and go', async () => {
    const { owner, path } = await newTeam();
    const call = as(owner.token);
    const { user, token } = await newPerson();
    const added = await call('POST', `${path}/members`, { email: user.email, role: 'viewer' });
    expect(added.body).toMatchObject({ member: { id: user.number, role: 'viewer' } });
    const twice = await call('POST', `${path}/members`, { email: user.email, role: 'viewer' });
    expect(twice.status).toBe(409);
    const { members } = (await as(token)('GET', `${path}/members`)).body;
    expect(members.map(({ role }: { role: string }) => role)).toEqual(['owner', 'viewer']);
    expect((await as(token)('PUT', path, { name: 'Mine' })).status).toBe(403);
    const member = `${path}/members/${user.number}`;
    expect((await call('PUT', member, { role: 'admin' })).body.role).toBe('admin');
    expect((await as(token)('PUT', path, { name: 'Ours' })).status).toBe(200);
    expect((await call('PUT', member, { role: 'owner' })).status).toBe(409);
    expect((await as(token)('DELETE', `${path}/members/${owner.user.id}`)).status).toBe(409);
    expect((await as(token)('DELETE', member)).status).toBe(204);
    expect((await as(token)('GET', path)).headers.get('x-error-code')).toBe('access_denied');
    const gone = await call('DELETE', member);
    const nobody = await call('DELETE', `${path}/members/999999`);
    expect([gone.status, gone.text]).toEqual([404, nobody.text]);
  });

  it('is handed over by its owner alone, who has logged in', async () => {
    const { owner, path } = await newTeam();
    const { user, token } = await newPerson();
    await as(owner.token)('POST', `${path}/members`, { email: user.email, role: 'admin' });
    const body = { user: user.email };
    expect((await as(token)('POST', `${path}/transfer`, body)).status).toBe(403);
    const { key } = (
      await as(owner.token)('POST', '/api-keys', { name: 'k', workspace: path.split('/')[2] })
    ).body;
    const byKey = await as(key)('POST', `${path}/transfer`, body);
    expect([byKey.status, byKey.headers.get('x-error-code')]).toEqual([403, 'user_required']);
    expect((await as(owner.token)('POST', `${path}/transfer`, body)).body.role).toBe('admin');
    expect((await as(owner.token)('DELETE', path)).status).toBe(403);
    expect((await as(token)('DELETE', path)).status).toBe(204);
  });

  it('invites who has no account and who has one, by a token that is shown once', async () => {
    const { owner, path } = await newTeam();
    const call = as(owner.token);
    const outside = await call('POST', `${path}/members`, {
      email: 'New@example.com',
      role: 'member',
    });
    expect(outside.body).toMatchObject({ member: null, invitation: { email: 'new@example.com' } });
    const { user, token } = await newPerson();
    const invited = await call('POST', `${path}/invitations`, {
      email: user.email,
      role: 'viewer',
    });
    const list = await call('GET', `${path}/invitations`);
    expect(list.body.invitations).toHaveLength(2);
    expect(list.text).not.toContain('invite_');
    const shown = await test.api('POST', '/invitations/show', null, { token: invited.body.token });
    expect(shown.body).toMatchObject({ email: user.email, workspace: { name: 'The Team' } });
    const other = await newPerson();
    const join = (person: string) =>
      as(person)('POST', '/invitations/join', { token: invited.body.token });
    expect((await join(other.token)).status).toBe(404);
    expect((await join(token)).body.role).toBe('viewer');
    expect((await join(token)).status).toBe(404);
    expect((await as(token)('GET', path)).body.role).toBe('viewer');
    const again = await call('POST', `${path}/invitations`, { email: user.email, role: 'admin' });
    expect([again.status, again.headers.get('x-error-code')]).toEqual([409, 'member_exists']);
    const { id, token: withdrawn } = outside.body.invitation;
    expect((await call('DELETE', `${path}/invitations/${id}`)).status).toBe(204);
    expect((await call('DELETE', `${path}/invitations/${id}`)).status).toBe(404);
    const late = await test.api('POST', '/invitations/show', null, { token: withdrawn });
    expect(late.status).toBe(404);
  });

  it('lets an invitation end with the right of whoever made it, and knows tokens from ids', async () => {
    const { owner, path } = await newTeam();
    const boss = as(owner.token);
    const admin = await newPerson();
    const member = `${path}/members/${admin.user.number}`;
    const shown = async (token: string) =>
      (await test.api('POST', '/invitations/show', null, { token })).status;
    await boss('POST', `${path}/members`, { email: admin.user.email, role: 'admin' });
    const friend = { email: 'friend@example.com', role: 'admin' };
    const { body: invited } = await as(admin.token)('POST', `${path}/invitations`, friend);
    expect(await shown(invited.token)).toBe(200);
    await boss('PUT', member, { role: 'member' });
    expect(await shown(invited.token)).toBe(404);
    await boss('PUT', member, { role: 'admin' });
    await as(operator)('POST', `/users/${admin.user.number}/disable`);
    expect(await shown(invited.token)).toBe(404);
    await as(operator)('POST', `/users/${admin.user.number}/enable`);
    expect(await shown(invited.token)).toBe(200);
    await boss('DELETE', member);
    const accepted = await test.api('POST', '/invitations/accept', null, {
      token: invited.token,
      password: samplePassword,
    });
    expect(accepted.status).toBe(404);

    const wrong = await boss('DELETE', `${path}/invitations/${invited.token}`);
    const session = await boss('DELETE', `/me/sessions/${invited.token}`);
    expect([wrong.status, session.status]).toEqual([404, 404]);
    expect((await as(operator)('GET', '/audit?size=100')).text).not.toContain(invited.token);
  });

  it('goes to an owner by no key that has less to give away than an owner holds', async () => {
    const { path, owner } = await newTeam();
    const { user } = await newPerson();
    await as(owner.token)('POST', `${path}/members`, { email: user.email, role: 'viewer' });
    const narrow = as((await test.issue({ scopes: ['workspace:manage', 'workspace:read'] })).text);
    const handed = await narrow('POST', `${path}/transfer`, { user: user.email });
    const made = await narrow('POST', '/users', { email: 'chief@example.com', owner: true });
    for (const { status, headers } of [handed, made]) {
      expect([status, headers.get('x-error-code')]).toEqual([403, 'grant_exceeded']);
    }
    expect((await narrow('POST', '/users', { email: 'clerk@example.com' })).status).toBe(200);
    expect((await as(operator)('POST', `${path}/transfer`, { user: user.email })).status).toBe(200);
  });
});
