import {
  type Invitation,
  type InvitationStore,
  type Member,
  type NewUser,
  type RecordChange,
  SandgateError,
  type User,
  type Workspace,
} from '@sandgate/core';
import type { Selectable } from 'kysely';
import { appendAudit, recordIfChanged } from './append-audit.ts';
import { insertMember } from './member-store.ts';
import type { PeopleSchema } from './people-schema.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import { insertUser } from './user-store.ts';
import { requireOpenWorkspace } from './workspace-store.ts';

export class SqliteInvitationStore implements InvitationStore {
  readonly #connection: SqliteConnection;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  async insert(invitation: Invitation, digest: Uint8Array, record?: RecordChange): Promise<void> {
    const { queries } = this.#connection;
    const { id, workspaceId, email, role, invitedBy, createdAtMs, expiresAtMs } = invitation;
    this.#connection.transaction('full', () => {
      requireOpenWorkspace(this.#connection, workspaceId);
      this.#connection.run(
        queries
          .deleteFrom('invitations')
          .where('workspace_id', '=', workspaceId)
          .where('email', '=', email),
      );
      this.#connection.run(
        queries.insertInto('invitations').values({
          id,
          workspace_id: workspaceId,
          email,
          role,
          digest,
          invited_by: invitedBy,
          created_at_ms: createdAtMs,
          expires_at_ms: expiresAtMs,
        }),
      );
      if (record !== undefined) appendAudit(this.#connection, record());
    });
  }

  async findByDigest(digest: Uint8Array, nowMs: number): Promise<Invitation | null> {
    const row = this.#connection.first(this.#living(nowMs).where('digest', '=', digest));
    return row === undefined ? null : toInvitation(row);
  }

  async list(workspaceId: string, nowMs: number): Promise<readonly Invitation[]> {
    return this.#connection
      .all(this.#living(nowMs).where('workspace_id', '=', workspaceId).orderBy('id'))
      .map(toInvitation);
  }

  async remove(workspaceId: string, id: string, record?: RecordChange): Promise<boolean> {
    const removal = this.#connection.queries
      .deleteFrom('invitations')
      .where('workspace_id', '=', workspaceId)
      .where('id', '=', id);
    return this.#connection.transaction('full', () =>
      recordIfChanged(this.#connection, this.#connection.run(removal) === 1, record),
    );
  }

  async accept(id: string, member: Member, record?: RecordChange): Promise<void> {
    this.#connection.transaction('full', () => {
      this.#useUp(id);
      insertMember(this.#connection, member);
      if (record !== undefined) appendAudit(this.#connection, record());
    });
  }

  async acceptAsNew(
    id: string,
    user: NewUser,
    home: Workspace,
    member: Member,
    record?: RecordChange<User>,
  ): Promise<User> {
    return this.#connection.transaction('full', () => {
      this.#useUp(id);
      const stored = insertUser(this.#connection, user, home, record);
      insertMember(this.#connection, member);
      return stored;
    });
  }

  #living(nowMs: number) {
    return this.#connection.queries
      .selectFrom('invitations')
      .selectAll()
      .where('expires_at_ms', '>', nowMs);
  }

  #useUp(id: string): void {
    const removal = this.#connection.queries.deleteFrom('invitations').where('id', '=', id);
    if (this.#connection.run(removal) === 1) return;
    throw new SandgateError(
      'invitation_invalid',
      'This invitation is not valid any more. Ask for another one',
    );
  }
}

const toInvitation = (row: Selectable<PeopleSchema['invitations']>): Invitation => ({
  id: row.id,
  workspaceId: row.workspace_id,
  email: row.email,
  role: row.role as Invitation['role'],
  invitedBy: row.invited_by,
  createdAtMs: row.created_at_ms,
  expiresAtMs: row.expires_at_ms,
});
