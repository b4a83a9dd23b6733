import type { DestroyReason, Sandbox, SandboxFacts } from '@sandgate/core';
import type { Selectable } from 'kysely';
import type { SandboxSchema } from './sandbox-schema.ts';

export type SandboxRow = Selectable<SandboxSchema['sandboxes']>;

/** The columns that change in the life of a sandbox. */
export function toChangingColumns(
  sandbox: Sandbox,
): Omit<SandboxRow, 'id' | 'workspace_id' | 'created_by_key' | 'created_at_ms'> {
  const destroyed = sandbox.state === 'destroyed' ? sandbox : null;
  return {
    name: sandbox.name,
    state: sandbox.state,
    definition: JSON.stringify(sandbox.definition),
    failure: sandbox.state === 'failed' ? sandbox.failure : null,
    updated_at_ms: sandbox.updatedAtMs,
    destroyed_at_ms: destroyed?.destroyedAtMs ?? null,
    template: sandbox.template,
    labels: JSON.stringify(sandbox.labels),
    egress: JSON.stringify(sandbox.egress),
    volumes: JSON.stringify(sandbox.volumes),
    from_snapshot: sandbox.fromSnapshot,
    lifetime: JSON.stringify(sandbox.lifetime),
    snapshot_schedule:
      sandbox.snapshotSchedule === null ? null : JSON.stringify(sandbox.snapshotSchedule),
    last_activity_at_ms: sandbox.lastActivityAtMs,
    paused_at_ms: sandbox.pausedAtMs,
    destroy_reason: destroyed?.destroyReason ?? null,
    start_failure: destroyed?.failure ?? null,
  };
}

export function toSandbox(row: SandboxRow): Sandbox {
  const facts: SandboxFacts = {
    id: row.id,
    workspaceId: row.workspace_id,
    name: row.name,
    definition: JSON.parse(row.definition),
    template: row.template,
    labels: JSON.parse(row.labels),
    egress: JSON.parse(row.egress),
    volumes: JSON.parse(row.volumes),
    fromSnapshot: row.from_snapshot,
    lifetime: JSON.parse(row.lifetime),
    snapshotSchedule: row.snapshot_schedule === null ? null : JSON.parse(row.snapshot_schedule),
    createdByKey: row.created_by_key,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
    lastActivityAtMs: row.last_activity_at_ms,
    pausedAtMs: row.paused_at_ms,
  };
  if (row.destroyed_at_ms !== null) {
    return {
      ...facts,
      state: 'destroyed',
      destroyedAtMs: row.destroyed_at_ms,
      destroyReason: row.destroy_reason as DestroyReason,
      failure: row.start_failure,
    };
  }
  if (row.failure !== null) return { ...facts, state: 'failed', failure: row.failure };
  return { ...facts, state: row.state as PlainState };
}

type PlainState = Exclude<Sandbox['state'], 'destroyed' | 'failed'>;
