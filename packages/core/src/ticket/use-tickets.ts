import type { AuditActor } from '../audit/audit-entry.ts';
import type { AuditedChange } from '../audit/audited-change.ts';
import { SandgateError } from '../error/sandgate-error.ts';
import type { Clock } from '../port/clock.ts';
import type { Storage } from '../port/storage.ts';
import type { TicketPage } from '../port/ticket-store.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { isTicketStatus, type Ticket, type TicketComment, ticketStatuses } from './ticket.ts';

export interface TicketDependencies {
  readonly storage: Pick<Storage, 'tickets'>;
  readonly clock: Clock;
}

/** For what changes tickets: nothing is changed without a record of it. */
export interface TicketChangeDependencies extends TicketDependencies {
  readonly change: AuditedChange;
}

const maxSubjectCharacters = 200;
const maxTextCharacters = 10_000;
const maxPage = 100;

/** The workspace that a caller may reach: null is an operator, who reaches all of them. */
type AccessWorkspace = Pick<Workspace, 'id'> | null;

const reach = (workspace: AccessWorkspace): string | undefined => workspace?.id;

function requireText(name: string, text: string, most: number): string {
  const trimmed = text.trim();
  if (trimmed !== '' && trimmed.length <= most) return trimmed;
  throw new SandgateError('invalid_request', `${name} must have 1 to ${most} characters`);
}

const ticketTarget = (number: number): string => `ticket:${number}`;

const notFound = () => new SandgateError('not_found', 'Ticket not found');

/** @throws SandgateError `invalid_request` */
export async function openTicket(
  { storage, clock, change }: TicketChangeDependencies,
  workspace: AccessWorkspace,
  input: { readonly subject: string; readonly body?: string; readonly actor: AuditActor },
): Promise<Ticket> {
  const body = input.body?.trim() ?? '';
  const ticket = {
    workspaceId: workspace?.id ?? null,
    subject: requireText('subject', input.subject, maxSubjectCharacters),
    body: body === '' ? '' : requireText('body', body, maxTextCharacters),
    openedBy: input.actor,
    createdAtMs: clock.nowMs(),
  };
  return await storage.tickets.create(ticket, ({ number }) => {
    change.note({ target: ticketTarget(number) });
    return change.append();
  });
}

/** Newest first; `limit` 1 to 100, 20 by default. @throws SandgateError `invalid_request` */
export async function listTickets(
  { storage }: TicketDependencies,
  workspace: AccessWorkspace,
  input: {
    readonly status?: string | undefined;
    readonly limit?: number | undefined;
    readonly beforeNumber?: number | undefined;
  } = {},
): Promise<TicketPage> {
  return await storage.tickets.list(
    {
      workspaceId: reach(workspace),
      status: input.status === undefined ? undefined : requireStatus(input.status),
    },
    {
      limit: Math.max(1, Math.min(maxPage, input.limit ?? 20)),
      beforeNumber: input.beforeNumber,
    },
  );
}

/** A ticket with its first 100 comments, oldest first. @throws SandgateError `not_found` */
export async function showTicket(
  { storage }: TicketDependencies,
  workspace: AccessWorkspace,
  number: number,
): Promise<{ readonly ticket: Ticket; readonly comments: readonly TicketComment[] }> {
  const ticket = await storage.tickets.find(reach(workspace), number);
  if (ticket === null) throw notFound();
  return {
    ticket,
    comments: await storage.tickets.comments(reach(workspace), number, { limit: maxPage }),
  };
}

/** @throws SandgateError `not_found`, `invalid_request` */
export async function commentOnTicket(
  { storage, clock, change }: TicketChangeDependencies,
  workspace: AccessWorkspace,
  input: { readonly number: number; readonly text: string; readonly actor: AuditActor },
): Promise<TicketComment> {
  change.note({ target: ticketTarget(input.number) });
  const comment = await storage.tickets.comment(
    reach(workspace),
    input.number,
    {
      author: input.actor,
      text: requireText('text', input.text, maxTextCharacters),
      createdAtMs: clock.nowMs(),
    },
    change.append,
  );
  if (comment === null) throw notFound();
  return comment;
}

/** @throws SandgateError `not_found`, `invalid_request` */
export async function setTicketStatus(
  { storage, clock, change }: TicketChangeDependencies,
  workspace: AccessWorkspace,
  input: { readonly number: number; readonly status: string },
): Promise<Ticket> {
  const status = requireStatus(input.status);
  change.note({ target: ticketTarget(input.number), details: { status } });
  const ticket = await storage.tickets.setStatus(
    reach(workspace),
    input.number,
    status,
    clock.nowMs(),
    change.append,
  );
  if (ticket === null) throw notFound();
  return ticket;
}

function requireStatus(status: string) {
  if (isTicketStatus(status)) return status;
  throw new SandgateError('invalid_request', `status must be one of: ${ticketStatuses.join(', ')}`);
}
