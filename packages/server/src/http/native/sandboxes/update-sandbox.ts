import { z } from 'zod';
import { requireScope } from '../../authorize/require-scope.ts';
import { givenFields } from '../../given-fields.ts';
import { defineRoute } from '../route.ts';
import { duration } from '../shared-schemas.ts';
import { requestedLifetime } from './requested-lifetime.ts';
import { sandboxOf } from './sandbox-call.ts';
import { toSandboxItem } from './sandbox-item.ts';
import { sandboxItem, sandboxParams, updateSandboxBody } from './sandbox-schemas.ts';

export const updateSandboxRoute = defineRoute({
  operationId: 'updateSandbox',
  method: 'patch',
  path: '/api/v1/sandboxes/{sandbox}',
  tag: 'Sandboxes',
  summary: 'Rename or label a sandbox, or change how long it lives',
  description:
    'What is left out stays as it is. Labels are replaced as a whole. With snapshot_schedule the key needs snapshot:write too.',
  access: 'sandbox:write',
  workspace: 'own',
  safe: false,
  audit: null,
  params: sandboxParams,
  body: updateSandboxBody,
  answer: sandboxItem,
  errors: ['sandbox_exists', 'sandbox_not_found'],
  async run({ params, body }, context) {
    if (body.snapshot_schedule !== undefined) requireScope(context.access, 'snapshot:write');
    const { sandbox, workspace, sandboxes } = await sandboxOf(context, params.sandbox);
    const changes = givenFields({
      name: body.name,
      labels: body.labels,
      lifetime: body.lifetime === undefined ? undefined : requestedLifetime(body.lifetime),
      snapshotSchedule: body.snapshot_schedule,
    });
    return toSandboxItem(await sandboxes.update(workspace, sandbox.id, changes));
  },
});

export const extendSandboxRoute = defineRoute({
  operationId: 'extendSandbox',
  method: 'post',
  path: '/api/v1/sandboxes/{sandbox}/extend',
  tag: 'Sandboxes',
  summary: 'Let a sandbox live on for so long from now',
  access: 'sandbox:write',
  workspace: 'own',
  safe: false,
  audit: null,
  params: sandboxParams,
  body: z.strictObject({ expires_in: duration.nullable().meta({ description: 'null: no end' }) }),
  answer: sandboxItem,
  errors: ['sandbox_not_found'],
  async run({ params, body }, context) {
    const { sandbox, workspace, sandboxes } = await sandboxOf(context, params.sandbox);
    const lifetime = { expiresInMs: body.expires_in };
    return toSandboxItem(await sandboxes.update(workspace, sandbox.id, { lifetime }));
  },
});
