import {
  type IdentityStore,
  type LinkedIdentity,
  type RecordChange,
  SandgateError,
  type User,
} from '@sandgate/core';
import { appendAudit } from './append-audit.ts';
import { KeyRevocation } from './key-revocation.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import { toUser } from './user-row.ts';

export class SqliteIdentityStore implements IdentityStore {
  readonly #connection: SqliteConnection;
  readonly #revocation: KeyRevocation;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
    this.#revocation = new KeyRevocation(connection);
  }

  async find(provider: string, subject: string): Promise<User | null> {
    const row = this.#connection.first(
      this.#connection.queries
        .selectFrom('identities')
        .innerJoin('users', 'users.id', 'identities.user_id')
        .selectAll('users')
        .where('identities.provider', '=', provider)
        .where('identities.subject', '=', subject),
    );
    return row === undefined ? null : toUser(row);
  }

  async link(
    { provider, subject, userId, createdAtMs }: LinkedIdentity,
    {
      provesEmail,
      record,
    }: { readonly provesEmail: boolean; readonly record?: RecordChange | undefined },
  ): Promise<void> {
    const { queries } = this.#connection;
    this.#connection.transaction('full', () => {
      const other = this.#connection.first(
        queries
          .selectFrom('identities')
          .selectAll()
          .where('provider', '=', provider)
          .where('subject', '=', subject),
      );
      if (other !== undefined && other.user_id !== userId) {
        throw new SandgateError('sign_in_failed', 'This identity belongs to another account');
      }
      if (provesEmail) this.#proveEmail(userId, createdAtMs, null);
      this.#connection.run(
        queries
          .insertInto('identities')
          .values({ provider, subject, user_id: userId, created_at_ms: createdAtMs })
          .onConflict((conflict) => conflict.doNothing()),
      );
      if (record !== undefined) appendAudit(this.#connection, record());
    });
  }

  async prove(
    userId: string,
    {
      passwordHash,
      atMs,
      record,
    }: {
      readonly passwordHash: string;
      readonly atMs: number;
      readonly record?: RecordChange | undefined;
    },
  ): Promise<boolean> {
    return this.#connection.transaction('full', () => {
      const isProven = this.#proveEmail(userId, atMs, passwordHash);
      if (isProven && record !== undefined) appendAudit(this.#connection, record());
      return isProven;
    });
  }

  /**
   * Whoever made the account before the address was proven may have been anybody. What lets them in
   * again goes: the password, sessions, other identities, and in the workspaces that the account owns
   * every other member, invitation and key. False when it was proven already.
   */
  #proveEmail(userId: string, nowMs: number, passwordHash: string | null): boolean {
    const { queries } = this.#connection;
    const proven = this.#connection.run(
      queries
        .updateTable('users')
        .set({ email_verified: 1, password_hash: passwordHash })
        .where('id', '=', userId)
        .where('email_verified', '=', 0),
    );
    if (proven === 0) return false;
    this.#connection.run(
      queries
        .updateTable('sessions')
        .set({ ended_at_ms: nowMs })
        .where('user_id', '=', userId)
        .where('ended_at_ms', 'is', null),
    );
    this.#connection.run(queries.deleteFrom('identities').where('user_id', '=', userId));
    const owned = queries
      .selectFrom('members')
      .select('workspace_id')
      .where('user_id', '=', userId)
      .where('role', '=', 'owner');
    const keys = queries
      .selectFrom('api_keys')
      .select('number')
      .where((either) =>
        either.or([either('owner_id', '=', userId), either('workspace_id', 'in', owned)]),
      )
      .where('revoked_at_ms', 'is', null);
    for (const { number } of this.#connection.all(keys)) this.#revocation.family(number, nowMs);
    this.#connection.run(queries.deleteFrom('invitations').where('workspace_id', 'in', owned));
    this.#connection.run(
      queries
        .deleteFrom('members')
        .where('workspace_id', 'in', owned)
        .where('user_id', '<>', userId),
    );
    return true;
  }
}
