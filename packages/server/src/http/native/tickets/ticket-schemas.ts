import { type Ticket, type TicketComment, ticketStatuses } from '@sandgate/core';
import { z } from 'zod';
import { actor, toActor } from '../actor.ts';
import {
  heldKey,
  holdsNoKey,
  nullableTime,
  time,
  toNullableTime,
  toTime,
} from '../shared-schemas.ts';

export const ticketStatus = z.enum(ticketStatuses);

const text = (maxCharacters: number) =>
  z.string().trim().min(1).max(maxCharacters).refine(holdsNoKey, heldKey);

export const ticketSubject = text(200);
export const ticketText = text(10_000);

export const ticketParams = z.strictObject({ id: z.string() });

export const ticketItem = z
  .strictObject({
    id: z.int(),
    subject: z.string(),
    body: z.string(),
    status: ticketStatus,
    alert_id: z.int().nullable().meta({ description: 'The alert that opened it' }),
    opened_by: actor,
    created_at: time,
    updated_at: time,
    resolved_at: nullableTime,
  })
  .meta({ id: 'Ticket' });

export const commentItem = z
  .strictObject({ id: z.int(), author: actor, text: z.string(), created_at: time })
  .meta({ id: 'TicketComment' });

export const toTicketItem = (ticket: Ticket): z.input<typeof ticketItem> => ({
  id: ticket.number,
  subject: ticket.subject,
  body: ticket.body,
  status: ticket.status,
  alert_id: ticket.alertNumber,
  opened_by: toActor(ticket.openedBy),
  created_at: toTime(ticket.createdAtMs),
  updated_at: toTime(ticket.updatedAtMs),
  resolved_at: toNullableTime(ticket.resolvedAtMs),
});

export const toCommentItem = (comment: TicketComment): z.input<typeof commentItem> => ({
  id: comment.number,
  author: toActor(comment.author),
  text: comment.text,
  created_at: toTime(comment.createdAtMs),
});
