import {
  buildEgressPolicy,
  type DoorSandboxes,
  type NewSandbox,
  type Workspace,
} from '@sandgate/core';
import type { z } from 'zod';
import { givenFields } from '../../given-fields.ts';
import { defineRoute } from '../route.ts';
import { requestedLifetime } from './requested-lifetime.ts';
import { ownWorkspace } from './sandbox-call.ts';
import { toSandboxItem } from './sandbox-item.ts';
import { createSandboxBody, sandboxItem } from './sandbox-schemas.ts';

export const createSandboxRoute = defineRoute({
  operationId: 'createSandbox',
  method: 'post',
  path: '/api/v1/sandboxes',
  tag: 'Sandboxes',
  summary: 'Make a sandbox, and answer when it is ready',
  access: 'sandbox:write',
  workspace: 'create',
  safe: false,
  audit: null,
  body: createSandboxBody,
  answer: sandboxItem,
  errors: [
    'capacity_exceeded',
    'egress_invalid',
    'engine_failed',
    'image_unknown',
    'plan_refused',
    'sandbox_exists',
    'snapshot_not_found',
    'volume_not_found',
  ],
  async run({ body }, context) {
    const workspace = ownWorkspace(context);
    const { sandboxes } = context.access;
    const requested = await requestOf(body, sandboxes, workspace);
    const { signal } = context.exchange;
    const sandbox = await sandboxes.create(workspace, requested, { signal });
    context.exchange.about(sandbox.id);
    return toSandboxItem(sandbox);
  },
});

async function requestOf(
  body: z.output<typeof createSandboxBody>,
  sandboxes: DoorSandboxes,
  workspace: Workspace,
): Promise<NewSandbox> {
  const { resources, lifetime, volumes = [] } = body;
  return {
    ...givenFields({
      name: body.name,
      template: body.template,
      fromSnapshot: body.from_snapshot,
      environment: body.env,
      workdir: body.workdir,
      exec: body.command,
      labels: body.labels,
      snapshotSchedule: body.snapshot_schedule,
      egress: body.egress === undefined ? undefined : buildEgressPolicy(body.egress),
      lifetime: lifetime === undefined ? undefined : requestedLifetime(lifetime),
    }),
    resources: givenFields({
      cpus: resources?.cpus,
      memoryMib: resources?.memory_mib,
      diskMib: resources?.disk_mib,
      maxProcesses: resources?.max_processes,
    }),
    volumes: await Promise.all(
      volumes.map(async ({ volume, path, read_only }) => ({
        volumeId: (await sandboxes.findVolume(workspace, volume)).id,
        guestPath: path,
        readOnly: read_only,
      })),
    ),
  };
}
