import { commentOnTicket } from '@sandgate/core';
import { z } from 'zod';
import { actorOf } from '../../authorize/actor-of.ts';
import { defineRoute } from '../route.ts';
import { smallNumber } from '../small-number.ts';
import { commentItem, ticketParams, ticketText, toCommentItem } from './ticket-schemas.ts';

export const commentOnTicketRoute = defineRoute({
  operationId: 'commentOnTicket',
  method: 'post',
  path: '/api/v1/tickets/{id}/comments',
  tag: 'Tickets',
  summary: 'Comment on a ticket',
  access: 'workspace:manage',
  workspace: 'reach',
  safe: false,
  audit: 'ticket.comment',
  params: ticketParams,
  body: z.strictObject({ text: ticketText }),
  answer: commentItem,
  errors: ['not_found'],
  async run({ params, body: { text } }, context) {
    const number = smallNumber(params.id);
    const actor = actorOf(context.access);
    return toCommentItem(
      await commentOnTicket(context, context.access.workspace, { number, text, actor }),
    );
  },
});
