import { type DestroyReason, type Sandbox, SandgateError, type Volume } from '@sandgate/core';
import type { BrimbleContext } from '../brimble-route.ts';
import { region } from '../region.ts';
import { teamObject } from '../team-object.ts';
import { toTime, toTimeOrNull } from '../time-text.ts';
import { destroyTimeouts } from './destroy-timeout.ts';
import { statusOf } from './sandbox-status.ts';

const destroyReasons: Readonly<Record<DestroyReason, string>> = {
  user: 'user',
  parent: 'user',
  expired: 'max_lifetime',
  max_lifetime: 'max_lifetime',
  idle: 'idle_ttl',
  one_shot: 'one_shot_stopped',
  failed: 'failed',
  paused_too_long: 'paused_too_long',
};

/** The answer to a create: the few fields that clients read there. */
export const createResult = (sandbox: Sandbox): object => ({
  id: sandbox.id,
  name: sandbox.name,
  template: sandbox.template,
  status: statusOf[sandbox.state],
  created_at: toTime(sandbox.createdAtMs),
  expires_at: toTimeOrNull(expiryOf(sandbox)),
});

/** A sandbox as this wire shows it. Every number is whole: one of the clients reads no others. */
export async function sandboxObject(
  sandbox: Sandbox,
  context: BrimbleContext,
): Promise<Readonly<Record<string, unknown>>> {
  const { definition, egress, lifetime, snapshotSchedule } = sandbox;
  const { cpus, memoryMib, diskMib } = definition.resources;
  const volume = await firstVolume(sandbox, context);
  const destroyed = sandbox.state === 'destroyed' ? sandbox : null;
  return {
    id: sandbox.id,
    name: sandbox.name,
    template: sandbox.template,
    status: statusOf[sandbox.state],
    region,
    specs: {
      cpu: Math.round(cpus * 1_000),
      memory: memoryMib,
      disk: Math.ceil(diskMib / 1_024),
    },
    team: teamObject(context.workspace),
    project_environment: null,
    auto_destroy: lifetime.expiresAtMs !== null,
    destroy_timeout: timeoutOf(sandbox),
    one_shot: lifetime.oneShot,
    block_outbound: egress.mode === 'deny_all',
    egress: egress.mode === 'restricted' ? { mode: egress.mode, allow: egress.allow } : egress,
    persistent: sandbox.volumes.length > 0,
    persistent_disk_gb: volume === null ? null : Math.ceil(volume.sizeMib / 1_024),
    paused_at: toTimeOrNull(pausedSince(sandbox)),
    from_snapshot: sandbox.fromSnapshot,
    snapshot_mode: snapshotSchedule === null ? 'manual' : 'automatic',
    snapshot_frequency: snapshotSchedule?.cron ?? null,
    created_at: toTime(sandbox.createdAtMs),
    last_activity_at: toTime(sandbox.lastActivityAtMs),
    expires_at: toTimeOrNull(expiryOf(sandbox)),
    destroyed_at: toTimeOrNull(destroyed?.destroyedAtMs ?? null),
    destroy_reason: destroyed === null ? null : destroyReasons[destroyed.destroyReason],
  };
}

/** The earlier of its two ends. */
function expiryOf({ createdAtMs, lifetime }: Sandbox): number | null {
  const { expiresAtMs, maxLifetimeMs } = lifetime;
  const ends = [expiresAtMs, maxLifetimeMs === null ? null : createdAtMs + maxLifetimeMs];
  const known = ends.filter((end) => end !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/** The time that was asked for; null where it was changed to one that this wire has no word for. */
function timeoutOf({ createdAtMs, lifetime: { expiresAtMs } }: Sandbox): string | null {
  if (expiresAtMs === null) return null;
  // It is counted from the request, which comes a little before the sandbox is there.
  const minutes = Math.round((expiresAtMs - createdAtMs) / 60_000);
  const found = Object.entries(destroyTimeouts).find(([, timeMs]) => timeMs === minutes * 60_000);
  return found?.[0] ?? null;
}

const pausedSince = ({ state, pausedAtMs, updatedAtMs }: Sandbox): number | null =>
  pausedAtMs ?? (state === 'stopped' ? updatedAtMs : null);

async function firstVolume(
  { volumes }: Sandbox,
  { sandboxes, workspace }: BrimbleContext,
): Promise<Volume | null> {
  const [mount] = volumes;
  if (mount === undefined) return null;
  try {
    return await sandboxes.findVolume(workspace, mount.volumeId);
  } catch (error) {
    // It may be deleted by now.
    if (error instanceof SandgateError && error.code === 'volume_not_found') return null;
    throw error;
  }
}
