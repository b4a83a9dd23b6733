import { z } from 'zod';
import { givenFields } from '../../given-fields.ts';
import { defineRoute } from '../route.ts';
import { sandboxOf } from '../sandboxes/sandbox-call.ts';
import { sandboxReference } from '../sandboxes/sandbox-schemas.ts';
import { duration, heldKey, holdsNoKey, workspaceName } from '../shared-schemas.ts';
import { snapshotItem, toSnapshotItem } from './snapshot-schemas.ts';

const longestSeconds = 300;

export const createSnapshotRoute = defineRoute({
  operationId: 'createSnapshot',
  method: 'post',
  path: '/api/v1/snapshots',
  tag: 'Snapshots',
  summary: 'Snapshot the files of a running sandbox, and answer when that is done',
  description:
    'Its programs are held still for as long as it takes. After wait_seconds the answer comes while the state is still creating; 0 waits for nothing.',
  access: 'snapshot:write',
  workspace: 'own',
  safe: false,
  audit: null,
  body: z.strictObject({
    sandbox: sandboxReference,
    name: z
      .string()
      .max(40)
      .refine(holdsNoKey, heldKey)
      .optional()
      .meta({ description: 'a-z, 0-9 and hyphens. Default: the time' }),
    expires_in: duration
      .nullable()
      .default(null)
      .meta({ description: 'When it is deleted; null is never' }),
    wait_seconds: z.number().min(0).max(longestSeconds).default(60),
    workspace: workspaceName.optional(),
  }),
  answer: snapshotItem,
  errors: [
    'capability_missing',
    'plan_refused',
    'sandbox_busy',
    'sandbox_not_found',
    'sandbox_not_running',
    'snapshot_exists',
  ],
  async run({ body }, context) {
    const { sandbox, workspace, sandboxes } = await sandboxOf(context, body.sandbox);
    const expiresAtMs = body.expires_in === null ? null : context.clock.nowMs() + body.expires_in;
    const begun = await sandboxes.createSnapshot(workspace, sandbox.id, {
      ...givenFields({ name: body.name }),
      expiresAtMs,
    });
    if (body.wait_seconds === 0) return toSnapshotItem(begun);
    return toSnapshotItem(
      await sandboxes.waitForSnapshot(workspace, begun.id, {
        timeoutMs: Math.ceil(body.wait_seconds * 1_000),
        signal: context.exchange.signal,
      }),
    );
  },
});
