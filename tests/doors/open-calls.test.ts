import { once } from 'node:events';
import type { IssueKeyRequest, Role, User, Workspace } from '@sandgate/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Listener, listen } from '../../packages/server/src/http/listen.ts';
import { settle } from '../support/manual-time.ts';
import { samplePeople } from '../support/sample-people.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

/** What is open already is held to the same rights as the next call. */

let test: TestApp;
let listener: Listener;
let people: ReturnType<typeof samplePeople>;
let operator: string;

beforeAll(async () => {
  test = await createTestApp(temporaryFolder(), { policy: { maxSandboxes: 1_000 } });
  people = samplePeople(test);
  operator = (await test.issue()).text;
  listener = await listen(test.app, { host: '127.0.0.1', port: 0, tls: null });
});
afterAll(() => listener.close(0));

let teams = 0;

/** A workspace of its own for each test, with an owner and a sandbox. */
async function newTeam() {
  teams += 1;
  const slug = `team-${teams}`;
  const made = await test.issue({ namespace: slug });
  const workspace = await test.storage.workspaces.findById(made.key.workspaceId ?? '');
  if (workspace === null) throw new Error('The workspace is gone.');
  const owner = await people.newUser();
  await people.join(workspace, owner, 'owner');
  const box = await test.api('POST', '/sandboxes', made.text, { name: 'ours' });
  return { workspace, sandbox: box.body.id as string };
}
type Team = Awaited<ReturnType<typeof newTeam>>;

interface Holder {
  readonly credential: string;
  readonly user: User | null;
  readonly keyId: string | null;
}

const ownKey =
  (request: IssueKeyRequest = {}) =>
  async ({ workspace }: Team): Promise<Holder> => {
    const { key, text } = await test.issue({ namespace: workspace.slug, ...request });
    return { credential: text, user: null, keyId: key.id };
  };

async function newMember(workspace: Workspace, role: Role = 'member'): Promise<User> {
  const user = await people.newUser();
  await people.join(workspace, user, role);
  return user;
}

async function personsKey({ workspace }: Team): Promise<Holder> {
  const user = await newMember(workspace);
  const owner = { ownerId: user.id, followsOwner: false };
  const { key, text } = await test.issue({ namespace: workspace.slug, owner });
  return { credential: text, user, keyId: key.id };
}

async function token({ workspace }: Team): Promise<Holder> {
  const user = await newMember(workspace);
  return { credential: await people.newToken(user), user, keyId: null };
}

type Change = (team: Team, holder: Holder) => Promise<unknown>;

async function asOperator(
  method: 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<void> {
  const { status, text } = await test.api(method, path, operator, body);
  expect([200, 204], text).toContain(status);
}
const ofKey =
  (method: 'POST' | 'PUT' | 'DELETE', suffix = '', body?: unknown): Change =>
  (_, { keyId }) =>
    asOperator(method, `/api-keys/${keyId}${suffix}`, body);
const member = ({ workspace }: Team, { user }: Holder): string =>
  `/workspaces/${workspace.slug}/members/${user?.number}`;

const disabled: Change = (_, { user }) => asOperator('POST', `/users/${user?.number}/disable`);
const removed: Change = (team, holder) => asOperator('DELETE', member(team, holder));
const lowered: Change = (team, holder) =>
  asOperator('PUT', member(team, holder), { role: 'viewer' });
const closed: Change = ({ workspace }) => asOperator('DELETE', `/workspaces/${workspace.slug}`);
const loggedOut: Change = (_, { user }) => asOperator('DELETE', `/users/${user?.id}/sessions`);
const later =
  (byMs: number): Change =>
  async () => {
    test.clock.currentMs += byMs;
  };

type Case = readonly [name: string, hold: (team: Team) => Promise<Holder>, change: Change];

const losses: readonly Case[] = [
  ['a key that is revoked', ownKey(), ofKey('POST', '/revoke')],
  ['a key that is disabled', ownKey(), ofKey('POST', '/disable')],
  ['a key that is deleted', ownKey(), ofKey('DELETE')],
  ['a key that expires', ownKey({ expiresInMs: 1_000 }), later(1_000)],
  ['a key whose scope is taken away', ownKey(), ofKey('PUT', '', { scopes: ['usage:read'] })],
  [
    'a key that is used from no such address any more',
    ownKey(),
    ofKey('PUT', '', { ip_allow_list: ['192.0.2.77'] }),
  ],
  [
    'a key that may touch the sandbox no longer',
    ownKey(),
    ofKey('PUT', '', { restrictions: { sandbox_name_prefix: 'theirs-' } }),
  ],
  ['a key whose workspace is closed', ownKey(), closed],
  ["a person's key when they are disabled", personsKey, disabled],
  ["a person's key when they are removed", personsKey, removed],
  ["a person's key when they are a viewer only", personsKey, lowered],
  ['an access token when its person is disabled', token, disabled],
  ['an access token when its person is removed', token, removed],
  ['an access token when its person is a viewer only', token, lowered],
  ['an access token when its session is ended', token, loggedOut],
  ['an access token whose workspace is closed', token, closed],
];

const harmless: readonly Case[] = [
  ['a key that is given another name', ownKey(), ofKey('PUT', '', { name: 'new' })],
  ['an access token that expires before its session', token, later(600_000)],
  [
    'a key whose workspace gets a new name',
    ownKey(),
    ({ workspace }) => asOperator('PUT', `/workspaces/${workspace.slug}`, { name: 'New' }),
  ],
  ['a key whose limits are used up', ownKey({ limits: { minute: 1 } }), async () => undefined],
];

interface OpenCall {
  /** Resolves when it has ended. */
  readonly ended: Promise<unknown>;
  close(): Promise<unknown>;
}

/** Needs the right to run programs. */
async function openTerminal({ workspace, sandbox }: Team, credential: string): Promise<OpenCall> {
  const address = listener.address.replace('http', 'ws');
  const socket = new WebSocket(`${address}/api/v1/sandboxes/${sandbox}/terminal`, {
    headers: { authorization: `Bearer ${credential}`, 'x-workspace-id': workspace.slug },
  });
  const ended = once(socket, 'close');
  await once(socket, 'open');
  return {
    ended,
    close() {
      socket.terminate();
      return ended;
    },
  };
}

/** Needs the right to read. */
async function openEvents({ workspace, sandbox }: Team, credential: string): Promise<OpenCall> {
  const response = await test.app.request(`/api/v1/sandboxes/${sandbox}/events`, {
    headers: {
      authorization: `Bearer ${credential}`,
      'x-workspace-id': workspace.slug,
      accept: 'text/event-stream',
    },
  });
  expect(response.status).toBe(200);
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const readToEnd = async (): Promise<void> => {
    while (!(await reader.read()).done);
  };
  return { ended: readToEnd(), close: () => reader.cancel() };
}

/** The moment at which everything that is open is looked at. */
async function look(): Promise<void> {
  await expect.poll(() => test.timers.delaysMs()).toContain(5_000);
  test.timers.pass();
}

/** Looked at to the end: who looks waits for the next time only then. */
async function lookThrough(): Promise<void> {
  await look();
  await expect.poll(() => test.timers.delaysMs()).toContain(5_000);
  await settle();
}

describe.each([
  ['a terminal', openTerminal, losses],
  // A viewer may read, and the events of a sandbox end with it and its workspace.
  ['a stream of events', openEvents, losses.filter(([, , by]) => by !== lowered && by !== closed)],
] as const)('%s', (_kind, open, cases) => {
  it.each(cases)('is lost by %s', async (_name, hold, change) => {
    const team = await newTeam();
    const holder = await hold(team);
    const call = await open(team, holder.credential);
    await change(team, holder);
    await look();
    await call.ended;
  });

  it.each(harmless)('is kept by %s', async (_name, hold, change) => {
    const team = await newTeam();
    const holder = await hold(team);
    const call = await open(team, holder.credential);
    let isOver = false;
    call.ended.then(() => {
      isOver = true;
    });
    await change(team, holder);
    await lookThrough();
    expect(isOver).toBe(false);
    await call.close();
  });
});

it('is looked at once for all that a caller has open', async () => {
  const team = await newTeam();
  const holder = await ownKey()(team);
  const open = await Promise.all([1, 2, 3].map(() => openEvents(team, holder.credential)));
  const { keys } = test.storage;
  const findByDigest = keys.findByDigest.bind(keys);
  let asked = 0;
  keys.findByDigest = (digest) => {
    asked += 1;
    return findByDigest(digest);
  };
  await lookThrough();
  keys.findByDigest = findByDigest;
  expect(asked).toBe(1);
  await Promise.all(open.map((call) => call.close()));
});

it('stays open while nobody can tell, and says so', async () => {
  const team = await newTeam();
  const holder = await ownKey()(team);
  const call = await openEvents(team, holder.credential);
  const { keys } = test.storage;
  const findByDigest = keys.findByDigest.bind(keys);
  const failure = new Error('The disk is away.');
  keys.findByDigest = () => {
    throw failure;
  };
  await lookThrough();
  keys.findByDigest = findByDigest;
  expect(test.backgroundErrors.splice(0)).toEqual([failure]);
  await ofKey('POST', '/revoke')(team, holder);
  await look();
  await call.ended;
});
