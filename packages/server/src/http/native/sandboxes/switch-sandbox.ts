import type { DoorSandboxes, ErrorCode, Sandbox, Workspace } from '@sandgate/core';
import { defineRoute } from '../route.ts';
import { sandboxOf } from './sandbox-call.ts';
import { toSandboxItem } from './sandbox-item.ts';
import { sandboxItem, sandboxParams } from './sandbox-schemas.ts';

type Switch = (sandboxes: DoorSandboxes, workspace: Workspace, id: string) => Promise<Sandbox>;

const switchRoute = (
  name: 'pause' | 'resume' | 'stop' | 'start',
  summary: string,
  errors: readonly ErrorCode[],
  carryOut: Switch,
) =>
  defineRoute({
    operationId: `${name}Sandbox`,
    method: 'post',
    path: `/api/v1/sandboxes/{sandbox}/${name}`,
    tag: 'Sandboxes',
    summary,
    access: 'sandbox:write',
    workspace: 'own',
    safe: false,
    audit: null,
    params: sandboxParams,
    answer: sandboxItem,
    errors: ['sandbox_not_found', ...errors],
    async run({ params }, context) {
      const { sandbox, workspace, sandboxes } = await sandboxOf(context, params.sandbox);
      return toSandboxItem(await carryOut(sandboxes, workspace, sandbox.id));
    },
  });

export const pauseSandboxRoute = switchRoute(
  'pause',
  'Take the CPU from a sandbox, and keep its memory',
  ['capability_missing', 'sandbox_not_running'],
  (sandboxes, workspace, id) => sandboxes.pause(workspace, id),
);
export const resumeSandboxRoute = switchRoute(
  'resume',
  'Go on with a paused sandbox',
  ['capability_missing', 'sandbox_not_running'],
  (sandboxes, workspace, id) => sandboxes.resume(workspace, id),
);
export const stopSandboxRoute = switchRoute(
  'stop',
  'Stop a sandbox, and keep its files',
  ['quota_exceeded'],
  (sandboxes, workspace, id) => sandboxes.stop(workspace, id),
);
export const startSandboxRoute = switchRoute(
  'start',
  'Start a stopped sandbox again, with its files',
  ['capacity_exceeded', 'engine_failed', 'plan_refused'],
  (sandboxes, workspace, id) => sandboxes.start(workspace, id, null),
);
