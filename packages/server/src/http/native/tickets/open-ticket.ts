import { openTicket } from '@sandgate/core';
import { z } from 'zod';
import { actorOf } from '../../authorize/actor-of.ts';
import { defineRoute } from '../route.ts';
import { workspaceName } from '../shared-schemas.ts';
import { ticketItem, ticketSubject, ticketText, toTicketItem } from './ticket-schemas.ts';

export const openTicketRoute = defineRoute({
  operationId: 'openTicket',
  method: 'post',
  path: '/api/v1/tickets',
  tag: 'Tickets',
  summary: 'Open a ticket',
  access: 'workspace:manage',
  workspace: 'reach',
  safe: false,
  audit: 'ticket.open',
  body: z.strictObject({
    subject: ticketSubject,
    body: ticketText.optional(),
    workspace: workspaceName.optional(),
  }),
  answer: ticketItem,
  async run({ body }, context) {
    const { subject, body: text = '' } = body;
    const actor = actorOf(context.access);
    const ticket = await openTicket(context, context.access.workspace, {
      subject,
      body: text,
      actor,
    });
    return toTicketItem(ticket);
  },
});
