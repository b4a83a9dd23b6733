import {
  type AuditActor,
  type AuditEntry,
  type AuditExtension,
  type AuditFilter,
  type AuditPage,
  type AuditStore,
  type AuditTail,
  canonicalJson,
  type SealedAuditHead,
} from '@sandgate/core';
import type { Selectable } from 'kysely';
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

  async append(
    extend: (tail: AuditTail) => AuditExtension,
    { durable }: { readonly durable: boolean },
  ): Promise<void> {
    const { queries } = this.#connection;
    this.#connection.transaction(durable ? 'full' : this.#durability, () => {
      const { entries, head } = extend({ head: this.#head(), last: this.#last() });
      for (const entry of entries) {
        this.#connection.run(queries.insertInto('audit_entries').values(toRow(entry)));
      }
      const columns = {
        sequence: head.sequence,
        hash: head.hash,
        server_key_version: head.serverKeyVersion,
        seal: head.seal,
      };
      this.#connection.run(
        queries
          .insertInto('audit_head')
          .values({ id: 1, ...columns })
          .onConflict((conflict) => conflict.column('id').doUpdateSet(columns)),
      );
    });
  }

  async list(
    filter: AuditFilter,
    {
      limit,
      beforeSequence,
    }: { readonly limit: number; readonly beforeSequence?: number | undefined },
  ): Promise<AuditPage> {
    const { workspaceId, action, keyNumber, outcome, fromMs, toMs } = filter;
    const all = this.#connection.queries.selectFrom('audit_entries').selectAll();
    const query = all
      .$if(workspaceId !== undefined, (q) => q.where('workspace_id', '=', workspaceId ?? null))
      .$if(action !== undefined, (q) => q.where('action', '=', action ?? ''))
      .$if(keyNumber !== undefined, (q) => q.where('actor_key_number', '=', keyNumber ?? 0))
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
    return this.#head();
  }

  #head(): SealedAuditHead | null {
    const row = this.#connection.first(
      this.#connection.queries.selectFrom('audit_head').selectAll(),
    );
    if (row === undefined) return null;
    return {
      sequence: row.sequence,
      hash: row.hash,
      serverKeyVersion: row.server_key_version,
      seal: row.seal,
    };
  }

  #last(): AuditTail['last'] {
    const row = this.#connection.first(
      this.#connection.queries
        .selectFrom('audit_entries')
        .select(['sequence', 'hash'])
        .orderBy('sequence', 'desc')
        .limit(1),
    );
    return row ?? null;
  }
}

type AuditRow = Selectable<Schema['audit_entries']>;

function toRow(entry: AuditEntry): AuditRow {
  return {
    sequence: entry.sequence,
    at_ms: entry.atMs,
    actor_kind: entry.actor.kind,
    actor_key_number: entry.actor.kind === 'key' ? entry.actor.keyNumber : null,
    action: entry.action,
    target: entry.target,
    outcome: entry.outcome,
    workspace_id: entry.workspaceId,
    address: entry.address,
    request_id: entry.requestId,
    details: canonicalJson(entry.details),
    previous_hash: entry.previousHash,
    hash: entry.hash,
  };
}

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

/** A key's number beside another kind of actor is a forgery: it is kept, so that the hash shows it. */
const toActor = ({ actor_kind: kind, actor_key_number: keyNumber }: AuditRow): AuditActor =>
  (keyNumber === null ? { kind } : { kind, keyNumber }) as AuditActor;

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
