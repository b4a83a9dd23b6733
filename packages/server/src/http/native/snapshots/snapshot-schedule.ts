import type { SnapshotSchedule } from '@sandgate/core';
import { z } from 'zod';
import { type AuthorisedContext, defineRoute } from '../route.ts';
import { sandboxOf } from '../sandboxes/sandbox-call.ts';
import { sandboxParams, snapshotSchedule } from '../sandboxes/sandbox-schemas.ts';
import { nullableTime, toNullableTime } from '../shared-schemas.ts';

const shared = {
  path: '/api/v1/sandboxes/{sandbox}/snapshot-schedule',
  tag: 'Snapshots',
  workspace: 'own',
  params: sandboxParams,
} as const;

const scheduleAnswer = z.strictObject({
  schedule: snapshotSchedule.nullable(),
  next_at: nullableTime.meta({ description: 'When the next one is made, if the sandbox runs' }),
});

export const showSnapshotScheduleRoute = defineRoute({
  ...shared,
  operationId: 'getSnapshotSchedule',
  method: 'get',
  summary: 'Show when snapshots of a sandbox are made by themselves',
  access: 'snapshot:read',
  safe: true,
  answer: scheduleAnswer,
  errors: ['sandbox_not_found'],
  async run({ params }, context) {
    const { sandbox, workspace, sandboxes } = await sandboxOf(context, params.sandbox);
    const nextMs = await sandboxes.nextSnapshotMs(workspace, sandbox.id);
    return { schedule: sandbox.snapshotSchedule, next_at: toNullableTime(nextMs) };
  },
});

export const setSnapshotScheduleRoute = defineRoute({
  ...shared,
  operationId: 'setSnapshotSchedule',
  method: 'put',
  summary: 'Let snapshots of a sandbox be made by themselves',
  description:
    'At the times that cron names, while the sandbox runs. keep of them stay: the oldest goes when a new one is ready.',
  access: 'snapshot:write',
  safe: false,
  audit: null,
  body: snapshotSchedule,
  answer: scheduleAnswer,
  errors: ['sandbox_not_found'],
  run: ({ params, body }, context) => schedule(context, params.sandbox, body),
});

export const deleteSnapshotScheduleRoute = defineRoute({
  ...shared,
  operationId: 'deleteSnapshotSchedule',
  method: 'delete',
  summary: 'Let no more snapshots of a sandbox be made by themselves',
  description: 'Those that there are stay.',
  access: 'snapshot:write',
  safe: false,
  audit: null,
  answer: scheduleAnswer,
  errors: ['sandbox_not_found'],
  run: ({ params }, context) => schedule(context, params.sandbox, null),
});

async function schedule(
  context: AuthorisedContext,
  reference: string,
  snapshotSchedule: SnapshotSchedule | null,
): Promise<z.input<typeof scheduleAnswer>> {
  const { sandbox, workspace, sandboxes } = await sandboxOf(context, reference);
  const changed = await sandboxes.update(workspace, sandbox.id, { snapshotSchedule });
  const nextMs = await sandboxes.nextSnapshotMs(workspace, sandbox.id);
  return { schedule: changed.snapshotSchedule, next_at: toNullableTime(nextMs) };
}
