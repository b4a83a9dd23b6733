import {
  type Member,
  type MemberStore,
  type Membership,
  type OwnershipBound,
  type RecordChange,
  type Role,
  SandgateError,
  type User,
} from '@sandgate/core';
import { appendAudit, recordIfChanged } from './append-audit.ts';
import { requireRoomToOwn } from './owned-workspaces.ts';
import { RememberedReads } from './remembered-reads.ts';
import type { PreparedStatement, SqliteConnection } from './sqlite-connection.ts';
import { toUser } from './user-row.ts';
import { requireOpenWorkspace, toWorkspace, type WorkspaceRow } from './workspace-store.ts';

type MembershipRow = WorkspaceRow & { readonly role: string };

const selectMembership = `
  select workspaces.*, members.role as role
  from members join workspaces on workspaces.id = members.workspace_id`;

const toMembership = (row: MembershipRow): Membership => ({
  workspace: toWorkspace(row),
  role: row.role as Role,
});

export class SqliteMemberStore implements MemberStore {
  readonly #connection: SqliteConnection;
  readonly #remembered: RememberedReads<Membership>;
  readonly #find: PreparedStatement<MembershipRow>;
  readonly #findBySlug: PreparedStatement<MembershipRow>;
  readonly #listOfUser: PreparedStatement<MembershipRow>;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
    this.#remembered = new RememberedReads(connection);
    this.#find = connection.prepare(
      `${selectMembership} where workspaces.closed_at_ms is null and members.user_id = ? and members.workspace_id = ?`,
    );
    this.#findBySlug = connection.prepare(
      `${selectMembership} where workspaces.closed_at_ms is null and members.user_id = ? and workspaces.slug = ?`,
    );
    this.#listOfUser = connection.prepare(
      `${selectMembership} where workspaces.closed_at_ms is null and members.user_id = ? order by workspaces.slug`,
    );
  }

  find(userId: string, workspaceId: string): Membership | null {
    const name = `${userId} ${workspaceId}`;
    const remembered = this.#remembered.get(name);
    if (remembered !== undefined) return remembered;
    const row = this.#find.get(userId, workspaceId);
    if (row === undefined) return null;
    const found = toMembership(row);
    this.#remembered.keep(name, found);
    return found;
  }

  async findBySlug(userId: string, slug: string): Promise<Membership | null> {
    const row = this.#findBySlug.get(userId, slug);
    return row === undefined ? null : toMembership(row);
  }

  async listOfUser(userId: string): Promise<readonly Membership[]> {
    return this.#listOfUser.all(userId).map(toMembership);
  }

  async listOfWorkspace(
    workspaceId: string,
  ): Promise<readonly { readonly member: Member; readonly user: User }[]> {
    const rows = this.#connection.all(
      this.#connection.queries
        .selectFrom('members')
        .innerJoin('users', 'users.id', 'members.user_id')
        .selectAll('users')
        .select(['members.role', 'members.created_at_ms as member_since_ms'])
        .where('members.workspace_id', '=', workspaceId)
        .orderBy('members.created_at_ms')
        .orderBy('users.number'),
    );
    return rows.map((row) => ({
      member: {
        workspaceId,
        userId: row.id,
        role: row.role as Role,
        createdAtMs: row.member_since_ms,
      },
      user: toUser(row),
    }));
  }

  async insert(member: Member, record?: RecordChange): Promise<void> {
    this.#connection.transaction('full', () => {
      insertMember(this.#connection, member);
      if (record !== undefined) appendAudit(this.#connection, record());
    });
  }

  async setRole(
    workspaceId: string,
    userId: string,
    role: Role,
    record?: RecordChange,
  ): Promise<boolean> {
    if (role === 'owner') return false;
    const update = this.#connection.queries
      .updateTable('members')
      .set({ role })
      .where('workspace_id', '=', workspaceId)
      .where('user_id', '=', userId)
      .where('role', '<>', 'owner');
    return this.#connection.transaction('full', () =>
      recordIfChanged(this.#connection, this.#connection.run(update) === 1, record),
    );
  }

  async remove(workspaceId: string, userId: string, record?: RecordChange): Promise<boolean> {
    const removal = this.#connection.queries
      .deleteFrom('members')
      .where('workspace_id', '=', workspaceId)
      .where('user_id', '=', userId)
      .where('role', '<>', 'owner');
    return this.#connection.transaction('full', () =>
      recordIfChanged(this.#connection, this.#connection.run(removal) === 1, record),
    );
  }

  async transfer(
    workspaceId: string,
    fromUserId: string | null,
    toUserId: string,
    record?: RecordChange,
    bound: OwnershipBound = {},
  ): Promise<boolean> {
    return this.#connection.transaction('full', () => {
      const to = this.#find.get(toUserId, workspaceId);
      if (this.#ownerOf(workspaceId) !== fromUserId || to === undefined || to.role === 'owner') {
        return false;
      }
      requireRoomToOwn(this.#connection, toUserId, bound);
      // In this order: a workspace never has two owners.
      if (fromUserId !== null) this.#setRole(workspaceId, fromUserId, 'admin');
      this.#setRole(workspaceId, toUserId, 'owner');
      return recordIfChanged(this.#connection, true, record);
    });
  }

  #ownerOf(workspaceId: string): string | null {
    const row = this.#connection.first(
      this.#connection.queries
        .selectFrom('members')
        .select('user_id')
        .where('workspace_id', '=', workspaceId)
        .where('role', '=', 'owner'),
    );
    return row?.user_id ?? null;
  }

  #setRole(workspaceId: string, userId: string, role: Role): void {
    this.#connection.run(
      this.#connection.queries
        .updateTable('members')
        .set({ role })
        .where('workspace_id', '=', workspaceId)
        .where('user_id', '=', userId),
    );
  }
}

/** Inside a transaction. */
export function insertMember(connection: SqliteConnection, member: Member): void {
  const { queries } = connection;
  const { workspaceId, userId, role, createdAtMs } = member;
  const others = connection.all(
    queries.selectFrom('members').selectAll().where('workspace_id', '=', workspaceId),
  );
  if (others.some((other) => other.user_id === userId)) {
    throw new SandgateError('member_exists', 'This person is a member of the workspace already');
  }
  if (role === 'owner' && others.some((other) => other.role === 'owner')) {
    throw new SandgateError('owner_conflict', 'The workspace has an owner, and can have only one');
  }
  requireOpenWorkspace(connection, workspaceId);
  connection.run(
    queries.insertInto('members').values({
      workspace_id: workspaceId,
      user_id: userId,
      role,
      created_at_ms: createdAtMs,
    }),
  );
}
