import type {
  NewTicket,
  NewTicketComment,
  RecordChange,
  Ticket,
  TicketComment,
  TicketFilter,
  TicketPage,
  TicketStatus,
  TicketStore,
} from '@sandgate/core';
import type { Selectable } from 'kysely';
import { fromActorColumn, toActorColumn } from './actor-column.ts';
import { appendAudit } from './append-audit.ts';
import type { Schema } from './schema.ts';
import type { Durability, SqliteConnection } from './sqlite-connection.ts';

export class SqliteTicketStore implements TicketStore {
  readonly #connection: SqliteConnection;
  readonly #durability: Durability;

  constructor(connection: SqliteConnection, durability: Durability) {
    this.#connection = connection;
    this.#durability = durability;
  }

  async create(ticket: NewTicket, record?: RecordChange<Ticket>): Promise<Ticket> {
    return this.#change(record, () => insertTicket(this.#connection, ticket));
  }

  async find(workspaceId: string | undefined, number: number): Promise<Ticket | null> {
    return this.#find(workspaceId, number);
  }

  async list(
    { workspaceId, status }: TicketFilter,
    { limit, beforeNumber }: { readonly limit: number; readonly beforeNumber?: number | undefined },
  ): Promise<TicketPage> {
    const reached = this.#within(workspaceId).orderBy('number', 'desc');
    const chosen = status === undefined ? reached : reached.where('status', '=', status);
    const before = beforeNumber === undefined ? chosen : chosen.where('number', '<', beforeNumber);
    const rows = this.#connection.all(before.limit(limit + 1));
    const tickets = rows.slice(0, limit).map(toTicket);
    return {
      tickets,
      nextBeforeNumber: rows.length > limit ? (tickets.at(-1)?.number ?? null) : null,
    };
  }

  async recent(workspaceId: string | undefined, most: number): Promise<readonly Ticket[]> {
    return this.#connection
      .all(this.#within(workspaceId).orderBy('number', 'desc').limit(most))
      .map(toTicket);
  }

  async countByStatus(
    workspaceId: string | undefined,
  ): Promise<Readonly<Record<TicketStatus, number>>> {
    const all = this.#connection.queries
      .selectFrom('tickets')
      .select(['status', (column) => column.fn.countAll<number>().as('tickets')])
      .groupBy('status');
    const rows = this.#connection.all(
      workspaceId === undefined ? all : all.where('workspace_id', '=', workspaceId),
    );
    const counted = Object.fromEntries(rows.map((row) => [row.status, row.tickets]));
    return { open: 0, in_progress: 0, resolved: 0, ...counted };
  }

  async setStatus(
    workspaceId: string | undefined,
    number: number,
    status: TicketStatus,
    atMs: number,
    record?: RecordChange<Ticket>,
  ): Promise<Ticket | null> {
    return this.#change(record, () => {
      if (this.#find(workspaceId, number) === null) return null;
      setTicketStatus(this.#connection, number, status, atMs);
      return this.#find(workspaceId, number);
    });
  }

  async comment(
    workspaceId: string | undefined,
    number: number,
    comment: NewTicketComment,
    record?: RecordChange<TicketComment>,
  ): Promise<TicketComment | null> {
    return this.#change(record, () =>
      this.#find(workspaceId, number) === null
        ? null
        : insertComment(this.#connection, number, comment),
    );
  }

  async comments(
    workspaceId: string | undefined,
    number: number,
    {
      limit,
      afterNumber = 0,
    }: { readonly limit: number; readonly afterNumber?: number | undefined },
  ): Promise<readonly TicketComment[]> {
    if (this.#find(workspaceId, number) === null) return [];
    return this.#connection
      .all(
        this.#connection.queries
          .selectFrom('ticket_comments')
          .selectAll()
          .where('ticket_number', '=', number)
          .where('number', '>', afterNumber)
          .orderBy('number')
          .limit(limit),
      )
      .map(toComment);
  }

  /** A change that is recorded is on the disk with its record; null stands for none. */
  #change<Result>(
    record: RecordChange<NonNullable<Result>> | undefined,
    work: () => Result,
  ): Result {
    const durability = record === undefined ? this.#durability : 'full';
    return this.#connection.transaction(durability, () => {
      const result = work();
      if (record !== undefined && result !== null && result !== undefined) {
        appendAudit(this.#connection, record(result));
      }
      return result;
    });
  }

  #find(workspaceId: string | undefined, number: number): Ticket | null {
    const row = this.#connection.first(this.#within(workspaceId).where('number', '=', number));
    return row === undefined ? null : toTicket(row);
  }

  #within(workspaceId: string | undefined) {
    const all = this.#connection.queries.selectFrom('tickets').selectAll();
    return workspaceId === undefined ? all : all.where('workspace_id', '=', workspaceId);
  }
}

/** Inside a transaction. */
export function insertTicket(
  connection: SqliteConnection,
  ticket: NewTicket & { readonly alertNumber?: number },
): Ticket {
  const row = connection.first(
    connection.queries
      .insertInto('tickets')
      .values({
        workspace_id: ticket.workspaceId,
        subject: ticket.subject,
        body: ticket.body,
        status: 'open',
        alert_number: ticket.alertNumber ?? null,
        opened_by: toActorColumn(ticket.openedBy),
        created_at_ms: ticket.createdAtMs,
        updated_at_ms: ticket.createdAtMs,
        resolved_at_ms: null,
      })
      .returningAll(),
  );
  if (row === undefined) throw new Error('A ticket vanished while it was stored');
  return toTicket(row);
}

/** Inside a transaction. The status that it has already changes nothing. */
export function setTicketStatus(
  connection: SqliteConnection,
  number: number,
  status: TicketStatus,
  atMs: number,
): void {
  connection.run(
    connection.queries
      .updateTable('tickets')
      .set({ status, updated_at_ms: atMs, resolved_at_ms: status === 'resolved' ? atMs : null })
      .where('number', '=', number)
      .where('status', '<>', status),
  );
}

/** Inside a transaction, about a ticket that is there. */
export function insertComment(
  connection: SqliteConnection,
  ticketNumber: number,
  comment: NewTicketComment,
): TicketComment {
  const row = connection.first(
    connection.queries
      .insertInto('ticket_comments')
      .values({
        ticket_number: ticketNumber,
        author: toActorColumn(comment.author),
        text: comment.text,
        created_at_ms: comment.createdAtMs,
      })
      .returningAll(),
  );
  if (row === undefined) throw new Error('A comment vanished while it was stored');
  connection.run(
    connection.queries
      .updateTable('tickets')
      .set({ updated_at_ms: comment.createdAtMs })
      .where('number', '=', ticketNumber),
  );
  return toComment(row);
}

function toTicket(row: Selectable<Schema['tickets']>): Ticket {
  return {
    number: row.number,
    workspaceId: row.workspace_id,
    subject: row.subject,
    body: row.body,
    status: row.status as TicketStatus,
    alertNumber: row.alert_number,
    openedBy: fromActorColumn(row.opened_by),
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
    resolvedAtMs: row.resolved_at_ms,
  };
}

function toComment(row: Selectable<Schema['ticket_comments']>): TicketComment {
  return {
    number: row.number,
    ticketNumber: row.ticket_number,
    author: fromActorColumn(row.author),
    text: row.text,
    createdAtMs: row.created_at_ms,
  };
}
