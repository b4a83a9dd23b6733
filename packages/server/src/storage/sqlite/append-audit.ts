import {
  type AuditAppend,
  type AuditEntry,
  type AuditTail,
  canonicalJson,
  type RecordChange,
  type SealedAuditHead,
} from '@sandgate/core';
import type { Schema } from './schema.ts';
import type { SqliteConnection } from './sqlite-connection.ts';

/** Extends the log. Inside a transaction, which is committed with what the new entries are about. */
export function appendAudit(connection: SqliteConnection, append: AuditAppend): void {
  const { queries } = connection;
  const { entries, head } = append({
    head: readAuditHead(connection),
    last: lastEntry(connection),
  });
  for (const entry of entries) {
    connection.run(queries.insertInto('audit_entries').values(toRow(entry)));
  }
  const columns = {
    sequence: head.sequence,
    hash: head.hash,
    server_key_version: head.serverKeyVersion,
    seal: head.seal,
  };
  connection.run(
    queries
      .insertInto('audit_head')
      .values({ id: 1, ...columns })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(columns)),
  );
}

/** The same, for a change that may have found nothing to change: then nothing is recorded. */
export function recordIfChanged(
  connection: SqliteConnection,
  changed: boolean,
  record: RecordChange | undefined,
): boolean {
  if (changed && record !== undefined) appendAudit(connection, record());
  return changed;
}

export function readAuditHead(connection: SqliteConnection): SealedAuditHead | null {
  const row = connection.first(connection.queries.selectFrom('audit_head').selectAll());
  if (row === undefined) return null;
  return {
    sequence: row.sequence,
    hash: row.hash,
    serverKeyVersion: row.server_key_version,
    seal: row.seal,
  };
}

function lastEntry(connection: SqliteConnection): AuditTail['last'] {
  const row = connection.first(
    connection.queries
      .selectFrom('audit_entries')
      .select(['sequence', 'hash'])
      .orderBy('sequence', 'desc')
      .limit(1),
  );
  return row ?? null;
}

function toRow(entry: AuditEntry): Schema['audit_entries'] {
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
    actor_user_number: entry.actor.kind === 'user' ? entry.actor.userNumber : null,
  };
}
