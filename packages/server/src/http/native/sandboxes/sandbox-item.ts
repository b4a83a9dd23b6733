import type { EgressPolicy, Sandbox, SandboxLifetime, SandboxResources } from '@sandgate/core';
import type { z } from 'zod';
import { toNullableTime, toSeconds, toTime } from '../shared-schemas.ts';
import type { egress, sandboxItem } from './sandbox-schemas.ts';

export function toSandboxItem(sandbox: Sandbox): z.input<typeof sandboxItem> {
  const { definition } = sandbox;
  const destroyed = sandbox.state === 'destroyed' ? sandbox : null;
  return {
    id: sandbox.id,
    name: sandbox.name,
    workspace_id: sandbox.workspaceId,
    state: sandbox.state,
    template: sandbox.template,
    labels: { ...sandbox.labels },
    resources: resourceFields(definition.resources),
    env_names: Object.keys(definition.environment),
    workdir: definition.workdir,
    command: definition.exec,
    egress: toEgressFields(sandbox.egress),
    volumes: sandbox.volumes.map(({ volumeId, guestPath, readOnly }) => ({
      volume_id: volumeId,
      path: guestPath,
      read_only: readOnly,
    })),
    from_snapshot: sandbox.fromSnapshot,
    lifetime: lifetimeFields(sandbox.lifetime),
    snapshot_schedule: sandbox.snapshotSchedule,
    created_by_key: sandbox.createdByKey,
    created_at: toTime(sandbox.createdAtMs),
    updated_at: toTime(sandbox.updatedAtMs),
    last_activity_at: toTime(sandbox.lastActivityAtMs),
    paused_at: toNullableTime(sandbox.pausedAtMs),
    destroyed_at: toNullableTime(destroyed?.destroyedAtMs ?? null),
    destroy_reason: destroyed?.destroyReason ?? null,
    failure: 'failure' in sandbox ? sandbox.failure : null,
  };
}

export const toEgressFields = (policy: EgressPolicy): z.input<typeof egress> =>
  policy.mode === 'restricted'
    ? { mode: policy.mode, allow: [...policy.allow] }
    : { mode: policy.mode };

export const resourceFields = ({ cpus, memoryMib, diskMib, maxProcesses }: SandboxResources) => ({
  cpus,
  memory_mib: memoryMib,
  disk_mib: diskMib,
  max_processes: maxProcesses,
});

const nullableSeconds = (durationMs: number | null): number | null =>
  durationMs === null ? null : toSeconds(durationMs);

export const lifetimeFields = (lifetime: SandboxLifetime) => ({
  expires_at: toNullableTime(lifetime.expiresAtMs),
  idle_timeout_seconds: nullableSeconds(lifetime.idleTimeoutMs),
  max_lifetime_seconds: nullableSeconds(lifetime.maxLifetimeMs),
  paused_timeout_seconds: nullableSeconds(lifetime.pausedTimeoutMs),
  one_shot: lifetime.oneShot,
});
