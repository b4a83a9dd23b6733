import { setTicketStatus } from '@sandgate/core';
import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { smallNumber } from '../small-number.ts';
import { ticketItem, ticketParams, ticketStatus, toTicketItem } from './ticket-schemas.ts';

export const updateTicketRoute = defineRoute({
  operationId: 'updateTicket',
  method: 'put',
  path: '/api/v1/tickets/{id}',
  tag: 'Tickets',
  summary: 'Set the status of a ticket',
  access: 'workspace:manage',
  workspace: 'reach',
  safe: false,
  audit: 'ticket.update',
  params: ticketParams,
  body: z.strictObject({ status: ticketStatus }),
  answer: ticketItem,
  errors: ['not_found'],
  async run({ params, body: { status } }, context) {
    const number = smallNumber(params.id);
    return toTicketItem(
      await setTicketStatus(context, context.access.workspace, { number, status }),
    );
  },
});
