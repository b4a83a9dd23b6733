import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { sandboxOf } from '../sandboxes/sandbox-call.ts';
import { sandboxParams } from '../sandboxes/sandbox-schemas.ts';
import { time, toTime } from '../shared-schemas.ts';
import { ticketLifetimeMs } from './ticket-box.ts';

export const issueTicketRoute = defineRoute({
  operationId: 'issueTerminalTicket',
  method: 'post',
  path: '/api/v1/sandboxes/{sandbox}/terminal-tickets',
  tag: 'Terminals',
  summary: 'Make a ticket with which a browser opens one terminal',
  description: `It stands for the key that asked for it: once, for this sandbox, and for ${ticketLifetimeMs / 1_000} seconds.`,
  access: 'sandbox:exec',
  workspace: 'own',
  safe: false,
  audit: null,
  params: sandboxParams,
  answer: z.strictObject({
    ticket: z.string().meta({ description: 'Shown this once' }),
    expires_at: time,
  }),
  errors: ['capacity_exceeded', 'sandbox_not_found'],
  async run({ params }, context) {
    const { sandbox, workspace } = await sandboxOf(context, params.sandbox);
    const { ticket, expiresAtMs } = context.exchange.issueTicket({
      workspace: workspace.slug,
      sandboxId: sandbox.id,
    });
    return { ticket, expires_at: toTime(expiresAtMs) };
  },
});
