import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { sandboxOf } from '../sandboxes/sandbox-call.ts';
import { toEgressFields } from '../sandboxes/sandbox-item.ts';
import { egress, sandboxParams } from '../sandboxes/sandbox-schemas.ts';
import { time, toTime } from '../shared-schemas.ts';

export const showEgressRoute = defineRoute({
  operationId: 'getEgress',
  method: 'get',
  path: '/api/v1/sandboxes/{sandbox}/egress',
  tag: 'Network',
  summary: 'Show where a sandbox may connect to, and what was refused',
  description: 'The newest 100 refusals since the server started, oldest first.',
  access: 'sandbox:read',
  workspace: 'own',
  safe: true,
  params: sandboxParams,
  answer: egress.extend({
    denials: z.array(
      z.strictObject({ at: time, host: z.string(), port: z.int(), reason: z.string() }),
    ),
  }),
  errors: ['sandbox_not_found'],
  async run({ params }, context) {
    const { sandbox, workspace, sandboxes } = await sandboxOf(context, params.sandbox);
    const denials = await sandboxes.egressDenials(workspace, sandbox.id);
    return {
      ...toEgressFields(sandbox.egress),
      denials: denials.map(({ atMs, host, port, reason }) => ({
        ...{ at: toTime(atMs), host, port, reason },
      })),
    };
  },
});
