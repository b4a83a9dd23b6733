import { showTicket } from '@sandgate/core';
import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { smallNumber } from '../small-number.ts';
import {
  commentItem,
  ticketItem,
  ticketParams,
  toCommentItem,
  toTicketItem,
} from './ticket-schemas.ts';

export const showTicketRoute = defineRoute({
  operationId: 'getTicket',
  method: 'get',
  path: '/api/v1/tickets/{id}',
  tag: 'Tickets',
  summary: 'Show a ticket and its first 100 comments, oldest first',
  access: 'workspace:read',
  workspace: 'reach',
  safe: true,
  params: ticketParams,
  answer: ticketItem.extend({ comments: z.array(commentItem) }),
  errors: ['not_found'],
  async run({ params }, context) {
    const { ticket, comments } = await showTicket(
      context,
      context.access.workspace,
      smallNumber(params.id),
    );
    return { ...toTicketItem(ticket), comments: comments.map(toCommentItem) };
  },
});
