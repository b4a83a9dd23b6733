import { buildEgressPolicy } from '@sandgate/core';
import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { sandboxOf } from '../sandboxes/sandbox-call.ts';
import { toEgressFields } from '../sandboxes/sandbox-item.ts';
import { egress, sandboxParams } from '../sandboxes/sandbox-schemas.ts';

export const setEgressRoute = defineRoute({
  operationId: 'setEgress',
  method: 'put',
  path: '/api/v1/sandboxes/{sandbox}/egress',
  tag: 'Network',
  summary: 'Switch where a sandbox may connect to',
  description:
    'Of a running sandbox at once, also for connections that are open; of a stopped one from its next start on.',
  access: 'sandbox:write',
  workspace: 'own',
  safe: false,
  audit: null,
  params: sandboxParams,
  body: egress,
  answer: egress.extend({
    live: z.boolean().meta({ description: 'The sandbox runs, and the policy holds already' }),
  }),
  errors: ['capability_missing', 'egress_invalid', 'sandbox_not_found', 'sandbox_paused'],
  async run({ params, body }, context) {
    const { sandbox, workspace, sandboxes } = await sandboxOf(context, params.sandbox);
    const policy = buildEgressPolicy(body);
    const changed = await sandboxes.setEgress(workspace, sandbox.id, policy);
    return { ...toEgressFields(changed.sandbox.egress), live: changed.networkUpdated };
  },
});
