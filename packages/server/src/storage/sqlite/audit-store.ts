import {
  type AuditActor,
  type AuditAppend,
  type AuditEntry,
  type AuditFilter,
  type AuditPage,
  type AuditStore,
  canonicalJson,
  type SealedAuditHead,
} from '@sandgate/core';
import type { Selectable } from 'kysely';
import { appendAudit, readAuditHead } from './append-audit.ts';
import type { Schema } from './schema.ts';
import type { Durability, SqliteConnection } from './sqlite-connection.ts';

/** Triggers of the schema refuse every change of an entry and every entry that is not the next. */
export class SqliteAuditStore implements AuditStore {
  readonly #connection: SqliteConnection;
  readonly #durability: Durability;

  constructor(connection: SqliteConnection, durability: Durability) {
    this.#connection = connection;
    this.#durability = durability;
  }

  async append(append: AuditAppend, { durable }: { readonly durable: boolean }): Promise<void> {
    this.#connection.transaction(durable ? 'full' : this.#durability, () =>
      appendAudit(this.#connection, append),
    );
  }

  async list(
    filter: AuditFilter,
    {
      limit,
      beforeSequence,
    }: { readonly limit: number; readonly beforeSequence?: number | undefined },
  ): Promise<AuditPage> {
    const { workspaceId, action, keyNumber, userNumber, outcome, fromMs, toMs } = filter;
    const all = this.#connection.queries.selectFrom('audit_entries').selectAll();
    const query = all
      .$if(workspaceId !== undefined, (q) => q.where('workspace_id', '=', workspaceId ?? null))
      .$if(action !== undefined, (q) => q.where('action', '=', action ?? ''))
      .$if(keyNumber !== undefined, (q) => q.where('actor_key_number', '=', keyNumber ?? 0))
      .$if(userNumber !== undefined, (q) => q.where('actor_user_number', '=', userNumber ?? 0))
      .$if(outcome !== undefined, (q) => q.where('outcome', '=', outcome ?? ''))
      .$if(fromMs !== undefined, (q) => q.where('at_ms', '>=', fromMs ?? 0))
      .$if(toMs !== undefined, (q) => q.where('at_ms', '<', toMs ?? 0))
      .$if(beforeSequence !== undefined, (q) => q.where('sequence', '<', beforeSequence ?? 0))
      .orderBy('sequence', 'desc')
      .limit(limit + 1);
    const rows = this.#connection.all(query);
    const entries = rows.slice(0, limit).map(toEntry);
    return {
      entries,
      nextBeforeSequence: rows.length > limit ? (entries.at(-1)?.sequence ?? null) : null,
    };
  }

  async read(afterSequence: number, limit: number): Promise<readonly AuditEntry[]> {
    return this.#connection
      .all(
        this.#connection.queries
          .selectFrom('audit_entries')
          .selectAll()
          .where('sequence', '>', afterSequence)
          .orderBy('sequence')
          .limit(limit),
      )
      .map(toEntry);
  }

  async head(): Promise<SealedAuditHead | null> {
    return readAuditHead(this.#connection);
  }
}

type AuditRow = Selectable<Schema['audit_entries']>;

function toEntry(row: AuditRow): AuditEntry {
  return {
    sequence: row.sequence,
    atMs: row.at_ms,
    actor: toActor(row),
    action: row.action,
    target: row.target,
    outcome: row.outcome as AuditEntry['outcome'],
    workspaceId: row.workspace_id,
    address: row.address,
    requestId: row.request_id,
    details: toDetails(row.details),
    previousHash: row.previous_hash,
    hash: row.hash,
  };
}

/** A number beside another kind of actor is a forgery: it is kept, so that the hash shows it. */
const toActor = (row: AuditRow): AuditActor =>
  ({
    kind: row.actor_kind,
    ...(row.actor_key_number === null ? {} : { keyNumber: row.actor_key_number }),
    ...(row.actor_user_number === null ? {} : { userNumber: row.actor_user_number }),
  }) as AuditActor;

/**
 * A text that means the same and is another one, as with a member twice, could show another value
 * to other readers. It is given as it stands, so that the hash does not fit.
 */
function toDetails(text: string): AuditEntry['details'] {
  try {
    const details = JSON.parse(text) as AuditEntry['details'];
    if (canonicalJson(details) === text) return details;
  } catch {
    // Not JSON: reported like any other text that was not written here.
  }
  return { 'not as written': text };
}
