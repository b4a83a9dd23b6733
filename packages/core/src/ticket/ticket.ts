import type { AuditActor } from '../audit/audit-entry.ts';

export const ticketStatuses = ['open', 'in_progress', 'resolved'] as const;

export type TicketStatus = (typeof ticketStatuses)[number];

export const isTicketStatus = (text: string): text is TicketStatus =>
  (ticketStatuses as readonly string[]).includes(text);

/** Something that a person should look at, opened by hand or by an alert. Times are epoch milliseconds. */
export interface Ticket {
  /** Small integer id, unique on this server. */
  readonly number: number;
  /** Null: about the server itself or a key of all workspaces, for operators alone. */
  readonly workspaceId: string | null;
  readonly subject: string;
  readonly body: string;
  readonly status: TicketStatus;
  /** The alert that opened it; null for one that was opened by hand. */
  readonly alertNumber: number | null;
  readonly openedBy: AuditActor;
  readonly createdAtMs: number;
  /** Moves with each comment and change of status. */
  readonly updatedAtMs: number;
  /** Set while its status is `resolved`. */
  readonly resolvedAtMs: number | null;
}

export type NewTicket = Pick<
  Ticket,
  'workspaceId' | 'subject' | 'body' | 'openedBy' | 'createdAtMs'
>;

export interface TicketComment {
  /** Grows with each comment on this server. */
  readonly number: number;
  readonly ticketNumber: number;
  readonly author: AuditActor;
  readonly text: string;
  readonly createdAtMs: number;
}

export type NewTicketComment = Omit<TicketComment, 'number' | 'ticketNumber'>;
