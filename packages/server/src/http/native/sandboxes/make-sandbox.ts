import {
  buildEgressPolicy,
  type DoorSandboxes,
  type NewSandbox,
  type Workspace,
} from '@sandgate/core';
import type { z } from 'zod';
import { requireScope } from '../../authorize/require-scope.ts';
import { givenFields } from '../../given-fields.ts';
import type { AuthorisedContext } from '../route.ts';
import { requestedLifetime } from './requested-lifetime.ts';
import { ownWorkspace } from './sandbox-call.ts';
import { toSandboxItem } from './sandbox-item.ts';
import type { createSandboxBody } from './sandbox-schemas.ts';

type Body = z.output<typeof createSandboxBody>;

/** @throws SandgateError `scope_missing` for what takes more than making sandboxes does */
export async function makeSandbox(body: Body, context: AuthorisedContext) {
  const { access, exchange } = context;
  const { volumes = [], snapshot_schedule: schedule = null } = body;
  if (schedule !== null) requireScope(access, 'snapshot:write');
  if (volumes.length > 0) {
    const isRead = volumes.every((volume) => volume.read_only);
    requireScope(access, isRead ? 'volume:read' : 'volume:write');
  }
  const workspace = ownWorkspace(context);
  const { sandboxes } = access;
  const requested = await requestOf(body, sandboxes, workspace);
  const { signal } = exchange;
  const sandbox = await sandboxes.create(workspace, requested, { signal });
  exchange.about(sandbox.id);
  return toSandboxItem(sandbox);
}

async function requestOf(
  body: Body,
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
