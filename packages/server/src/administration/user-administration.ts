import {
  type AuditedChange,
  audited,
  type Clock,
  createAuditLog,
  createUser,
  findUser,
  handOver,
  type PasswordHasher,
  type Randomness,
  type ServerKey,
  type Storage,
  setPassword,
  setUserEnabled,
  type User,
} from '@sandgate/core';

/** A person as the operator sees them: never the hash. */
export interface UserView extends Omit<User, 'passwordHash' | 'homeWorkspaceId'> {
  readonly hasPassword: boolean;
  /** Slug of the workspace of a call that names none. */
  readonly home: string;
  /** Every workspace, with the role in it. */
  readonly memberships: readonly { readonly namespace: string; readonly role: string }[];
}

export interface NewUserRequest {
  readonly email: string;
  readonly name?: string;
  /** Null: single sign-on only. */
  readonly password: string | null;
  /** Owner of the default workspace, which is their home. */
  readonly owner: boolean;
}

/** What an operator does about people on the machine itself. A person is named by e-mail, number or id. */
export interface UserAdministration {
  /** @throws SandgateError `invalid_request`, `user_exists`, `owner_conflict` */
  createUser(request: NewUserRequest): Promise<UserView>;
  listUsers(): Promise<readonly UserView[]>;
  setUserEnabled(reference: string, enabled: boolean): Promise<UserView>;
  /**
   * Ends every session of theirs.
   * @throws SandgateError `user_not_found`, `invalid_request`
   */
  setPassword(reference: string, password: string): Promise<UserView>;
  /**
   * The same of an account whose address nobody has proven; it is from now on. Everything that was set
   * up before, by whoever it was, ends.
   * @throws SandgateError `user_not_found`, `invalid_request`
   */
  handOver(reference: string, password: string): Promise<UserView>;
  /** Returns how many sessions. */
  endSessions(reference: string): Promise<number>;
}

export interface UserAdministrationDependencies {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly loadServerKey: () => Promise<ServerKey>;
  readonly loadHasher: () => Promise<PasswordHasher>;
}

export function createUserAdministration(
  dependencies: UserAdministrationDependencies,
): UserAdministration {
  const { storage, clock, randomness, loadServerKey, loadHasher } = dependencies;

  const view = async ({ passwordHash, homeWorkspaceId, ...user }: User): Promise<UserView> => {
    const memberships = await storage.members.listOfUser(user.id);
    const home = await storage.workspaces.findById(homeWorkspaceId);
    return {
      ...user,
      hasPassword: passwordHash !== null,
      home: home?.slug ?? homeWorkspaceId,
      memberships: memberships.map(({ workspace, role }) => ({ namespace: workspace.slug, role })),
    };
  };

  const recorded = async <T>(
    action: string,
    target: string | null,
    work: (change: AuditedChange) => Promise<T>,
  ): Promise<T> => {
    const serverKey = await loadServerKey();
    const auditLog = createAuditLog({ audit: storage.audit, clock, serverKey: () => serverKey });
    const attempt = { action, actor: { kind: 'operator' }, target } as const;
    return await audited(auditLog, attempt, work);
  };

  const change = async (
    action: string,
    reference: string,
    work: (user: User, change: AuditedChange) => Promise<void>,
  ): Promise<UserView> => {
    const user = await findUser(dependencies, reference);
    await recorded(action, `user:${user.number}`, (record) => work(user, record));
    return await view(await findUser(dependencies, user.id));
  };

  return {
    async createUser({ owner, ...request }) {
      const hasher = await loadHasher();
      const user = await recorded('user.create', null, (record) =>
        createUser(
          { storage, clock, randomness, hasher },
          { ...request, ownsDefault: owner },
          ({ number }) => {
            record.note({ target: `user:${number}` });
            return record.append();
          },
        ),
      );
      return await view(user);
    },
    async listUsers() {
      return await Promise.all((await storage.users.list()).map(view));
    },
    setUserEnabled: (reference, enabled) =>
      change(enabled ? 'user.enable' : 'user.disable', reference, (user, record) =>
        setUserEnabled(dependencies, user, enabled, record.append),
      ),
    async setPassword(reference, password) {
      const hasher = await loadHasher();
      return await change('user.password', reference, (user, record) =>
        setPassword({ storage, clock, hasher }, user, password, { record: record.append }),
      );
    },
    async handOver(reference, password) {
      const hasher = await loadHasher();
      return await change('user.hand_over', reference, (user, record) =>
        handOver({ storage, clock, hasher }, user, password, record.append),
      );
    },
    async endSessions(reference) {
      const user = await findUser(dependencies, reference);
      return await recorded('session.end_all', `user:${user.number}`, () =>
        storage.sessions.endAll(user.id, clock.nowMs()),
      );
    },
  };
}
