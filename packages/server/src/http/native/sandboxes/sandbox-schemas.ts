import { destroyReasons, egressModes, sandboxStates } from '@sandgate/core';
import { z } from 'zod';
import {
  duration,
  heldKey,
  holdsNoKey,
  nullableTime,
  reference,
  time,
  workspaceName,
} from '../shared-schemas.ts';

export const sandboxReference = reference('Id or name of the sandbox');
export const sandboxParams = z.strictObject({ sandbox: sandboxReference });

const maxEnvironmentBytes = 32 * 1_024;

export const environment = z
  .record(z.string().max(256), z.string())
  .refine((value) => Buffer.byteLength(JSON.stringify(value)) <= maxEnvironmentBytes, {
    error: `is longer than ${maxEnvironmentBytes} bytes of JSON`,
  });
const labels = z.record(z.string(), z.string()).refine(holdsNoKey, heldKey);

export const resources = z.strictObject({
  cpus: z.number().positive(),
  memory_mib: z.int().positive(),
  disk_mib: z.int().positive(),
  max_processes: z.int().positive(),
});

export const egress = z.strictObject({
  mode: z.enum(egressModes),
  allow: z
    .array(z.string())
    .optional()
    .meta({ description: 'Host names, addresses and CIDR blocks; with mode restricted' }),
});

const lasting = duration.nullable();

export const lifetime = z.strictObject({
  expires_in: lasting.optional().meta({ description: 'From now; null is never' }),
  idle_timeout: lasting.optional(),
  max_lifetime: lasting.optional(),
  paused_timeout: lasting.optional(),
  one_shot: z.boolean().optional(),
});

export const snapshotSchedule = z.strictObject({
  cron: z.string().max(100).meta({ description: 'Five fields, in UTC, as in 0 * * * *' }),
  keep: z.int().min(1).max(100),
});

const mountedVolume = z.strictObject({
  volume: reference('Id or name'),
  path: z.string(),
  read_only: z.boolean().default(false),
});

const sandboxName = z.string().min(1).max(63).refine(holdsNoKey, heldKey);

export const createSandboxBody = z.strictObject({
  name: sandboxName.optional().meta({ description: 'Default: a random one' }),
  template: z.string().min(1).max(255).refine(holdsNoKey, heldKey).optional(),
  from_snapshot: z.string().max(63).refine(holdsNoKey, heldKey).optional(),
  resources: resources.partial().optional(),
  env: environment.optional(),
  workdir: z.string().optional(),
  command: z
    .string()
    .max(16_384)
    .refine(holdsNoKey, heldKey)
    .optional()
    .meta({ description: 'Main command, run by its shell. What it writes is the log' }),
  labels: labels.optional(),
  egress: egress.optional(),
  volumes: z.array(mountedVolume).max(16).optional(),
  lifetime: lifetime.optional(),
  snapshot_schedule: snapshotSchedule.nullable().optional(),
  workspace: workspaceName.optional(),
});

export const updateSandboxBody = z.strictObject({
  name: sandboxName.optional(),
  labels: labels.optional(),
  lifetime: lifetime.optional(),
  snapshot_schedule: snapshotSchedule.nullable().optional(),
  workspace: workspaceName.optional(),
});

const seconds = z.number().nullable();

export const lifetimeItem = z.strictObject({
  expires_at: nullableTime,
  idle_timeout_seconds: seconds,
  max_lifetime_seconds: seconds,
  paused_timeout_seconds: seconds,
  one_shot: z.boolean(),
});

export const sandboxItem = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    workspace_id: z.string(),
    state: z.enum(sandboxStates),
    template: z.string(),
    labels: z.record(z.string(), z.string()),
    resources,
    env_names: z
      .array(z.string())
      .meta({ description: 'Values may be secrets, and are shown to no reader' }),
    workdir: z.string(),
    command: z.string().nullable(),
    egress,
    volumes: z.array(
      z.strictObject({ volume_id: z.string(), path: z.string(), read_only: z.boolean() }),
    ),
    from_snapshot: z.string().nullable(),
    lifetime: lifetimeItem,
    snapshot_schedule: snapshotSchedule.nullable(),
    created_by_key: z.int().nullable(),
    created_at: time,
    updated_at: time,
    last_activity_at: time,
    paused_at: nullableTime,
    destroyed_at: nullableTime,
    destroy_reason: z.enum(destroyReasons).nullable(),
    failure: z.string().nullable(),
  })
  .meta({ id: 'Sandbox' });
