import {
  type NewSandbox,
  newResourceId,
  type SandboxResources,
  SandgateError,
} from '@sandgate/core';
import type { z } from 'zod';
import { requireScope } from '../../../authorize/require-scope.ts';
import { type BrimbleContext, defineBrimbleRoute } from '../brimble-route.ts';
import { requireRegion } from '../region.ts';
import { createSandboxBody } from './create-sandbox-schema.ts';
import { destroyTimeouts } from './destroy-timeout.ts';
import { toPolicy } from './egress-schema.ts';
import { createResult } from './sandbox-object.ts';

type Body = z.output<typeof createSandboxBody>;

/** Where a volume is unless it is said otherwise, as the clients have it. */
const defaultMountPath = '/workspace';
/** Of a schedule whose number is not asked for on this wire. */
const keptSnapshots = 5;

/** Answers when the sandbox is ready. */
export const createSandboxRoute = defineBrimbleRoute({
  method: 'POST',
  path: '/sandboxes',
  status: 201,
  message: 'Sandbox created',
  scope: 'sandbox:write',
  safe: false,
  idempotent: true,
  body: createSandboxBody.optional(),
  async run({ body = {} as Body }, context) {
    requireRegion(body.region);
    const { access } = context;
    if (body.volumeId !== undefined || body.persistent === true) {
      requireScope(access, 'volume:write');
    }
    if (body.fromSnapshot !== undefined) requireScope(access, 'snapshot:read');
    if (body.snapshotMode === 'automatic') requireScope(access, 'snapshot:write');
    const sandbox = await create(body, context);
    return { data: createResult(sandbox), sandboxId: sandbox.id };
  },
});

async function create(body: Body, context: BrimbleContext) {
  const { sandboxes, workspace, signal } = context;
  const guestPath = body.mountPath ?? defaultMountPath;
  const requested = toNewSandbox(body);
  const start = async (volumes: NonNullable<NewSandbox['volumes']>) => {
    try {
      return await sandboxes.create(workspace, { ...requested, volumes }, { signal });
    } catch (error) {
      if (!(error instanceof SandgateError) || error.code !== 'sandbox_exists') throw error;
      throw new SandgateError('sandbox_exists', `A sandbox named "${body.name}" already exists`);
    }
  };
  if (body.persistent !== true) {
    return await start(body.volumeId === undefined ? [] : [{ volumeId: body.volumeId, guestPath }]);
  }
  const volume = await sandboxes.createVolume(workspace, {
    name: `disk-${newResourceId(context.clock, context.randomness)}`,
    sizeMib: (body.persistentDiskGB ?? 0) * 1_024,
    region: requireRegion(undefined).id,
  });
  try {
    return await start([{ volumeId: volume.id, guestPath }]);
  } catch (error) {
    // Why there is no sandbox is what matters.
    await sandboxes.deleteVolume(workspace, volume.id).catch(() => undefined);
    throw error;
  }
}

function toNewSandbox(body: Body): NewSandbox {
  const { name, template, fromSnapshot, specs, snapshotFrequency } = body;
  return {
    ...(name === undefined ? {} : { name }),
    // A snapshot has its own.
    ...(template === undefined || fromSnapshot !== undefined ? {} : { template }),
    ...(fromSnapshot === undefined ? {} : { fromSnapshot }),
    ...(specs === undefined ? {} : { resources: toResources(specs) }),
    ...(body.blockOutbound === true ? { egress: { mode: 'deny_all' } } : {}),
    ...(body.egress === undefined ? {} : { egress: toPolicy(body.egress) }),
    ...(snapshotFrequency === undefined
      ? {}
      : { snapshotSchedule: { cron: snapshotFrequency, keep: keptSnapshots } }),
    lifetime: {
      ...(body.autoDestroy === true && body.destroyTimeout !== undefined
        ? { expiresInMs: destroyTimeouts[body.destroyTimeout] }
        : {}),
      ...(body.oneShot === undefined ? {} : { oneShot: body.oneShot }),
    },
  };
}

/** MHz, MB and GB: 1,000 MHz are one CPU. */
function toResources({ cpu, memory, disk }: NonNullable<Body['specs']>): Partial<SandboxResources> {
  return {
    ...(cpu === undefined ? {} : { cpus: cpu / 1_000 }),
    ...(memory === undefined ? {} : { memoryMib: memory }),
    ...(disk === undefined ? {} : { diskMib: disk * 1_024 }),
  };
}
