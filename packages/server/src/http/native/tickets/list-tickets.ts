import { listTickets } from '@sandgate/core';
import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { queryNumber, workspaceName } from '../shared-schemas.ts';
import { ticketItem, ticketStatus, toTicketItem } from './ticket-schemas.ts';

export const listTicketsRoute = defineRoute({
  operationId: 'listTickets',
  method: 'get',
  path: '/api/v1/tickets',
  tag: 'Tickets',
  summary: 'List tickets, newest first',
  access: 'workspace:read',
  workspace: 'reach',
  safe: true,
  query: z.strictObject({
    status: ticketStatus.optional(),
    size: queryNumber(1, 100).default(20),
    cursor: queryNumber(1, Number.MAX_SAFE_INTEGER)
      .optional()
      .meta({ description: 'next_cursor of the page before' }),
    workspace: workspaceName.optional(),
  }),
  answer: z.strictObject({ tickets: z.array(ticketItem), next_cursor: z.int().nullable() }),
  async run({ query }, context) {
    const { tickets, nextBeforeNumber } = await listTickets(context, context.access.workspace, {
      status: query.status,
      limit: query.size,
      beforeNumber: query.cursor,
    });
    return { tickets: tickets.map(toTicketItem), next_cursor: nextBeforeNumber };
  },
});
