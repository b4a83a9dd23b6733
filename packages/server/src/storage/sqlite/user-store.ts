import {
  type NewUser,
  type RecordChange,
  SandgateError,
  type User,
  type UserChanges,
  type UserPageRequest,
  type UserStore,
  type Workspace,
} from '@sandgate/core';
import { appendAudit, recordIfChanged } from './append-audit.ts';
import { contains } from './match-text.ts';
import { insertMember } from './member-store.ts';
import { RememberedReads } from './remembered-reads.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import { toUser, type UserRow } from './user-row.ts';
import { insertWorkspaceIfAbsent } from './workspace-store.ts';

/** Every change is on the disk before it is answered, as those of keys are. */
export class SqliteUserStore implements UserStore {
  readonly #connection: SqliteConnection;
  readonly #remembered: RememberedReads<User>;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
    this.#remembered = new RememberedReads(connection);
  }

  async insert(
    user: NewUser,
    home: Workspace,
    {
      onlyFirst = false,
      record,
    }: { readonly onlyFirst?: boolean; readonly record?: RecordChange<User> | undefined } = {},
  ): Promise<User> {
    return this.#connection.transaction('full', () => {
      if (onlyFirst && this.#count() > 0) {
        throw new SandgateError('setup_refused', 'This server has users already. Log in instead');
      }
      return insertUser(this.#connection, user, home, record);
    });
  }

  async findByEmail(email: string): Promise<User | null> {
    return this.#findBy('email', email);
  }

  findById(id: string): User | null {
    const remembered = this.#remembered.get(id);
    if (remembered !== undefined) return remembered;
    const found = this.#findBy('id', id);
    if (found !== null) this.#remembered.keep(id, found);
    return found;
  }

  async findByNumber(number: number): Promise<User | null> {
    return this.#findBy('number', number);
  }

  async list(): Promise<readonly User[]> {
    return this.#connection
      .all(this.#connection.queries.selectFrom('users').selectAll().orderBy('number'))
      .map(toUser);
  }

  async page({
    limit,
    afterNumber = 0,
    search,
  }: UserPageRequest): Promise<{ readonly users: readonly User[]; readonly total: number }> {
    const found = this.#connection.queries
      .selectFrom('users')
      .$if(search !== undefined, (query) =>
        query.where(({ or }) =>
          or([contains('name', search ?? ''), contains('email', search ?? '')]),
        ),
      );
    const rows = this.#connection.all(
      found.selectAll().where('number', '>', afterNumber).orderBy('number').limit(limit),
    );
    const counted = this.#connection.first(
      found.select((column) => column.fn.countAll<number>().as('users')),
    );
    return { users: rows.map(toUser), total: counted?.users ?? 0 };
  }

  async count(): Promise<number> {
    return this.#count();
  }

  async update(
    id: string,
    { name, passwordHash, emailVerified, enabled, lastLoginAtMs }: UserChanges,
    record?: RecordChange,
  ): Promise<boolean> {
    const update = this.#connection.queries
      .updateTable('users')
      .set({
        id,
        ...(name === undefined ? {} : { name }),
        ...(passwordHash === undefined ? {} : { password_hash: passwordHash }),
        ...(emailVerified === undefined ? {} : { email_verified: emailVerified ? 1 : 0 }),
        ...(enabled === undefined ? {} : { enabled: enabled ? 1 : 0 }),
        ...(lastLoginAtMs === undefined ? {} : { last_login_at_ms: lastLoginAtMs }),
      })
      .where('id', '=', id);
    return this.#connection.transaction('full', () =>
      recordIfChanged(this.#connection, this.#connection.run(update) === 1, record),
    );
  }

  #count(): number {
    const row = this.#connection.first(
      this.#connection.queries
        .selectFrom('users')
        .select((column) => column.fn.countAll<number>().as('users')),
    );
    return row?.users ?? 0;
  }

  #findBy(column: UniqueColumn, value: string | number): User | null {
    return findUserBy(this.#connection, column, value);
  }
}

type UniqueColumn = 'id' | 'email' | 'number';

function findUserBy(
  connection: SqliteConnection,
  column: UniqueColumn,
  value: string | number,
): User | null {
  const row = connection.first<UserRow>(
    connection.queries.selectFrom('users').selectAll().where(column, '=', value),
  );
  return row === undefined ? null : toUser(row);
}

/** Inside a transaction. The home is stored now if no workspace has its slug. */
export function insertUser(
  connection: SqliteConnection,
  user: NewUser,
  home: Workspace,
  record?: RecordChange<User>,
): User {
  if (findUserBy(connection, 'email', user.email) !== null) {
    throw new SandgateError('user_exists', 'There is an account with that e-mail address');
  }
  const { id: workspaceId } = insertWorkspaceIfAbsent(connection, home);
  connection.run(
    connection.queries.insertInto('users').values({
      id: user.id,
      email: user.email,
      name: user.name,
      password_hash: user.passwordHash,
      enabled: user.enabled ? 1 : 0,
      home_workspace_id: workspaceId,
      created_at_ms: user.createdAtMs,
      last_login_at_ms: null,
      email_verified: user.emailVerified ? 1 : 0,
    }),
  );
  const { id: userId, createdAtMs } = user;
  insertMember(connection, { workspaceId, userId, role: 'owner', createdAtMs });
  const stored = findUserBy(connection, 'id', userId);
  if (stored === null) throw new Error(`user ${userId} vanished while it was stored`);
  if (record !== undefined) appendAudit(connection, record(stored));
  return stored;
}
