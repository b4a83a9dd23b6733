import {
  createUser,
  grantKeyText,
  inviteMember,
  issueKey,
  newResourceId,
  type Role,
  startSession,
  type User,
  type Workspace,
} from '@sandgate/core';
import type { TestApp } from './test-app.ts';

/** What every person of a test logs in with. */
export const samplePassword = 'correct horse battery';

let made = 0;

/** An address that nobody has yet. */
function newEmail(): string {
  made += 1;
  return `sample${made}@example.com`;
}

/** People of one test app, each with an account and a home. */
export function samplePeople(test: TestApp) {
  const { keyDependencies, people, storage, clock } = test;

  return {
    newEmail,
    async newUser(email = newEmail()): Promise<User> {
      const dependencies = { ...keyDependencies, hasher: people.hasher };
      return await createUser(dependencies, { email, name: 'Sample', password: samplePassword });
    },
    /** Logged in, without the work of a login. */
    async newSession(user: User) {
      return await startSession({ ...keyDependencies, ...people }, user, {
        address: '192.0.2.1',
        agent: 'test',
      });
    },
    async newToken(user: User): Promise<string> {
      return (await this.newSession(user)).accessToken;
    },
    /** Id of a program that a person let in, without the work of a sign-in. */
    async newProgram(user: User): Promise<string> {
      const id = newResourceId(clock, keyDependencies.randomness);
      const home = await storage.workspaces.findById(user.homeWorkspaceId);
      await issueKey(keyDependencies, {
        prefix: 'mbx_',
        text: grantKeyText(keyDependencies.serverKey(), id),
        scopes: ['mcp:call'],
        namespace: home?.slug ?? '',
        owner: { ownerId: user.id, followsOwner: false },
      });
      await storage.oauth.put({
        ...{ kind: 'Grant', id, grantId: id, userId: user.id, payload: '{}' },
        ...{ expiresAtMs: null, consumedAtMs: null },
      });
      return id;
    },
    async join(workspace: Workspace, user: User, role: Role): Promise<void> {
      const createdAtMs = clock.nowMs();
      await storage.members.insert({
        workspaceId: workspace.id,
        userId: user.id,
        role,
        createdAtMs,
      });
    },
    async invite(workspace: Workspace, email: string) {
      const request = { email, role: 'viewer', by: null } as const;
      return await inviteMember(keyDependencies, workspace, request);
    },
  };
}
