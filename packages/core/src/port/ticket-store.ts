import type { RecordChange } from '../audit/audited-change.ts';
import type {
  NewTicket,
  NewTicketComment,
  Ticket,
  TicketComment,
  TicketStatus,
} from '../ticket/ticket.ts';

export interface TicketFilter {
  /** Absent: all workspaces, and what belongs to none. */
  readonly workspaceId?: string | undefined;
  readonly status?: TicketStatus | undefined;
}

export interface TicketPage {
  readonly tickets: readonly Ticket[];
  /** Give it as `beforeNumber` for the next page; null on the last one. */
  readonly nextBeforeNumber: number | null;
}

/**
 * Tickets and their comments. A method that is given a workspace finds nothing outside of it;
 * `undefined` in its place means all of them, for operators.
 */
export interface TicketStore {
  /** Stores an open ticket, and gives it the next number. */
  create(ticket: NewTicket, record?: RecordChange<Ticket>): Promise<Ticket>;
  find(workspaceId: string | undefined, number: number): Promise<Ticket | null>;
  /** Newest first. */
  list(
    filter: TicketFilter,
    page: { readonly limit: number; readonly beforeNumber?: number | undefined },
  ): Promise<TicketPage>;
  /** The newest, newest first. */
  recent(workspaceId: string | undefined, most: number): Promise<readonly Ticket[]>;
  /** A status that no ticket has counts 0. */
  countByStatus(workspaceId: string | undefined): Promise<Readonly<Record<TicketStatus, number>>>;
  /** Null when there is no such ticket. The status that it has already changes nothing. */
  setStatus(
    workspaceId: string | undefined,
    number: number,
    status: TicketStatus,
    atMs: number,
    record?: RecordChange<Ticket>,
  ): Promise<Ticket | null>;
  /** Null when there is no such ticket. */
  comment(
    workspaceId: string | undefined,
    number: number,
    comment: NewTicketComment,
    record?: RecordChange<TicketComment>,
  ): Promise<TicketComment | null>;
  /** Oldest first, at most `most` after `afterNumber`. Empty when there is no such ticket. */
  comments(
    workspaceId: string | undefined,
    number: number,
    page: { readonly limit: number; readonly afterNumber?: number | undefined },
  ): Promise<readonly TicketComment[]>;
}
