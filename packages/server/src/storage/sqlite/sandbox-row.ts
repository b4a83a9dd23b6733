import type { Sandbox, SandboxDefinition } from '@sandgate/core';
import type { Selectable } from 'kysely';
import type { Schema } from './schema.ts';

export type SandboxRow = Selectable<Schema['sandboxes']>;

/** The columns that follow from a sandbox's state. */
export function toStateColumns(
  sandbox: Sandbox,
): Pick<SandboxRow, 'state' | 'failure' | 'destroyed_at_ms'> {
  return {
    state: sandbox.state,
    failure: sandbox.state === 'failed' ? sandbox.failure : null,
    destroyed_at_ms: sandbox.state === 'destroyed' ? sandbox.destroyedAtMs : null,
  };
}

export function toSandbox(row: SandboxRow): Sandbox {
  const identity = {
    id: row.id,
    workspaceId: row.workspace_id,
    name: row.name,
    definition: JSON.parse(row.definition) as SandboxDefinition,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  };
  if (row.destroyed_at_ms !== null) {
    return { ...identity, state: 'destroyed', destroyedAtMs: row.destroyed_at_ms };
  }
  if (row.failure !== null) return { ...identity, state: 'failed', failure: row.failure };
  return { ...identity, state: row.state as PlainState };
}

type PlainState = Exclude<Sandbox['state'], 'destroyed' | 'failed'>;
