import type {
  RecordChange,
  RefreshOutcome,
  RefreshRequest,
  Session,
  SessionStore,
  SessionWithUser,
} from '@sandgate/core';
import type { Selectable } from 'kysely';
import { appendAudit, recordIfChanged } from './append-audit.ts';
import type { PeopleSchema } from './people-schema.ts';
import { RememberedReads } from './remembered-reads.ts';
import type { Durability, PreparedStatement, SqliteConnection } from './sqlite-connection.ts';
import { toUser, type UserRow } from './user-row.ts';

type SessionRow = Selectable<PeopleSchema['sessions']>;

type FoundRow = UserRow & {
  readonly [Column in keyof SessionRow as `session_${Column}`]: SessionRow[Column];
};

interface ShownRow extends FoundRow {
  readonly used_at_ms: number | null;
}

const sessionColumns = `
  sessions.id as session_id, sessions.user_id as session_user_id,
  sessions.created_at_ms as session_created_at_ms,
  sessions.refreshed_at_ms as session_refreshed_at_ms,
  sessions.expires_at_ms as session_expires_at_ms, sessions.ends_at_ms as session_ends_at_ms,
  sessions.address as session_address, sessions.agent as session_agent,
  sessions.ended_at_ms as session_ended_at_ms`;

/**
 * What a power failure undoes of a login or a refresh costs its user a new login, and no more: so
 * they wait for the disk only where everything does. An end is final, and always waits.
 */
export class SqliteSessionStore implements SessionStore {
  readonly #connection: SqliteConnection;
  readonly #durability: Durability;
  readonly #remembered: RememberedReads<SessionWithUser>;
  readonly #findWithUser: PreparedStatement<FoundRow>;
  readonly #findShown: PreparedStatement<ShownRow>;
  readonly #prune: PreparedStatement<never>;

  constructor(connection: SqliteConnection, durability: Durability) {
    this.#connection = connection;
    this.#durability = durability;
    this.#remembered = new RememberedReads(connection);
    this.#findWithUser = connection.prepare(`
      select users.*, ${sessionColumns}
      from sessions join users on users.id = sessions.user_id
      where sessions.id = ? and sessions.ended_at_ms is null`);
    this.#findShown = connection.prepare(`
      select users.*, ${sessionColumns}, refresh_tokens.used_at_ms as used_at_ms
      from refresh_tokens join sessions on sessions.id = refresh_tokens.session_id
        join users on users.id = sessions.user_id
      where refresh_tokens.digest = ?`);
    this.#prune = connection.prepare(`
      delete from sessions where id in
        (select id from sessions where expires_at_ms < ?1 or ended_at_ms < ?1 limit ?2)`);
  }

  async insert(session: Session, digest: Uint8Array): Promise<void> {
    const { queries } = this.#connection;
    this.#connection.transaction(this.#durability, () => {
      this.#connection.run(queries.insertInto('sessions').values(toRow(session)));
      this.#insertToken(session.id, digest);
    });
  }

  findWithUser(id: string): SessionWithUser | null {
    const remembered = this.#remembered.get(id);
    if (remembered !== undefined) return remembered;
    const row = this.#findWithUser.get(id);
    if (row === undefined) return null;
    const found = { session: toSession(row), user: toUser(row) };
    this.#remembered.keep(id, found);
    return found;
  }

  async refresh(request: RefreshRequest): Promise<RefreshOutcome> {
    const { digest, nextDigest, nowMs, refreshMs, raceMs } = request;
    const { queries } = this.#connection;
    return this.#connection.transaction('full', (): RefreshOutcome => {
      const row = this.#findShown.get(digest);
      if (row === undefined) return { kind: 'refused' };
      const session = toSession(row);
      const user = toUser(row);
      const dead = session.endedAtMs !== null || session.expiresAtMs <= nowMs || !user.enabled;
      if (dead) return { kind: 'refused' };
      if (row.used_at_ms !== null && nowMs - row.used_at_ms < raceMs) return { kind: 'raced' };
      if (row.used_at_ms !== null) {
        this.#end(session.userId, session.id, nowMs);
        return { kind: 'reused', session };
      }
      this.#connection.run(
        queries
          .updateTable('refresh_tokens')
          .set({ used_at_ms: nowMs })
          .where('digest', '=', digest),
      );
      this.#insertToken(session.id, nextDigest);
      const expiresAtMs = Math.min(nowMs + refreshMs, session.endsAtMs);
      this.#connection.run(
        queries
          .updateTable('sessions')
          .set({ refreshed_at_ms: nowMs, expires_at_ms: expiresAtMs })
          .where('id', '=', session.id),
      );
      return {
        kind: 'refreshed',
        session: { ...session, refreshedAtMs: nowMs, expiresAtMs },
        user,
      };
    });
  }

  async listLiving(userId: string, nowMs: number): Promise<readonly Session[]> {
    return this.#connection
      .all(
        this.#connection.queries
          .selectFrom('sessions')
          .selectAll()
          .where('user_id', '=', userId)
          .where('ended_at_ms', 'is', null)
          .where('expires_at_ms', '>', nowMs)
          .orderBy('id', 'desc'),
      )
      .map(fromRow);
  }

  async end(userId: string, id: string, nowMs: number, record?: RecordChange): Promise<boolean> {
    return this.#connection.transaction('full', () =>
      recordIfChanged(this.#connection, this.#end(userId, id, nowMs), record),
    );
  }

  async endByDigest(digest: Uint8Array, nowMs: number): Promise<Session | null> {
    return this.#connection.transaction('full', () => {
      const row = this.#findShown.get(digest);
      if (row === undefined) return null;
      const session = toSession(row);
      return this.#end(session.userId, session.id, nowMs) ? session : null;
    });
  }

  async endAll(
    userId: string,
    nowMs: number,
    {
      except = '',
      record,
    }: { except?: string | undefined; record?: RecordChange<number> | undefined } = {},
  ): Promise<number> {
    const update = this.#connection.queries
      .updateTable('sessions')
      .set({ ended_at_ms: nowMs })
      .where('user_id', '=', userId)
      .where('id', '<>', except)
      .where('ended_at_ms', 'is', null)
      .where('expires_at_ms', '>', nowMs);
    return this.#connection.transaction('full', () => {
      const ended = this.#connection.run(update);
      if (ended > 0 && record !== undefined) appendAudit(this.#connection, record(ended));
      return ended;
    });
  }

  async prune(beforeMs: number, most: number): Promise<boolean> {
    return this.#connection.transaction(
      this.#durability,
      () => this.#prune.run(beforeMs, most) === most,
    );
  }

  #end(userId: string, id: string, nowMs: number): boolean {
    const update = this.#connection.queries
      .updateTable('sessions')
      .set({ ended_at_ms: nowMs })
      .where('id', '=', id)
      .where('user_id', '=', userId)
      .where('ended_at_ms', 'is', null);
    return this.#connection.run(update) === 1;
  }

  #insertToken(sessionId: string, digest: Uint8Array): void {
    this.#connection.run(
      this.#connection.queries
        .insertInto('refresh_tokens')
        .values({ digest, session_id: sessionId, used_at_ms: null }),
    );
  }
}

const toRow = (session: Session): SessionRow => ({
  id: session.id,
  user_id: session.userId,
  created_at_ms: session.createdAtMs,
  refreshed_at_ms: session.refreshedAtMs,
  expires_at_ms: session.expiresAtMs,
  ends_at_ms: session.endsAtMs,
  address: session.address,
  agent: session.agent,
  ended_at_ms: session.endedAtMs,
});

const fromRow = (row: SessionRow): Session => ({
  id: row.id,
  userId: row.user_id,
  createdAtMs: row.created_at_ms,
  refreshedAtMs: row.refreshed_at_ms,
  expiresAtMs: row.expires_at_ms,
  endsAtMs: row.ends_at_ms,
  address: row.address,
  agent: row.agent,
  endedAtMs: row.ended_at_ms,
});

const toSession = (row: FoundRow): Session => ({
  id: row.session_id,
  userId: row.session_user_id,
  createdAtMs: row.session_created_at_ms,
  refreshedAtMs: row.session_refreshed_at_ms,
  expiresAtMs: row.session_expires_at_ms,
  endsAtMs: row.session_ends_at_ms,
  address: row.session_address,
  agent: row.session_agent,
  endedAtMs: row.session_ended_at_ms,
});
