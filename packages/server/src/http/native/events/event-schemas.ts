import { type SandboxEvent, sandboxStates } from '@sandgate/core';
import { z } from 'zod';
import { time, toTime } from '../shared-schemas.ts';

const text = z.string();
const common = {
  id: z.int().meta({ description: 'Grows with every event of the server' }),
  at: time,
};
const ofSandbox = { ...common, sandbox_id: text };

/** What happened, by its kind. */
export const eventItem = z
  .discriminatedUnion('kind', [
    z.strictObject({
      ...ofSandbox,
      kind: z.literal('sandbox.state'),
      name: text,
      state: z.enum(sandboxStates),
      previous: z.enum(sandboxStates).nullable().meta({ description: 'null: it is new' }),
      reason: text.nullable().meta({ description: 'Why it is destroyed' }),
      failure: text.nullable(),
    }),
    z.strictObject({
      ...ofSandbox,
      kind: z.literal('sandbox.changed'),
      name: text,
      changed: z.array(z.enum(['name', 'labels', 'lifetime', 'egress', 'snapshot_schedule'])),
    }),
    z.strictObject({
      ...ofSandbox,
      kind: z.literal('egress.denied'),
      host: text,
      port: z.int(),
      reason: text,
    }),
    z.strictObject({
      ...ofSandbox,
      kind: z.literal('process.ended'),
      process_id: text,
      exit_code: z.int().nullable().meta({ description: 'null: it was lost with its sandbox' }),
    }),
    z.strictObject({
      ...ofSandbox,
      kind: z.literal('snapshot.state'),
      snapshot_id: text,
      name: text,
      state: z.enum(['creating', 'ready', 'failed', 'deleted']),
    }),
    z.strictObject({
      ...common,
      kind: z.literal('volume.state'),
      volume_id: text,
      name: text,
      state: z.enum(['creating', 'ready', 'deleting', 'deleted']),
      attached_sandbox_id: text.nullable(),
    }),
    z.strictObject({ ...common, kind: z.literal('events.missed') }),
  ])
  .meta({ id: 'Event' });

export function toEventItem(event: SandboxEvent): z.input<typeof eventItem> {
  const common = { id: event.id, at: toTime(event.atMs) };
  if (event.kind === 'events.missed') return { ...common, kind: event.kind };
  if (event.kind === 'volume.state') {
    return {
      ...{ ...common, kind: event.kind, volume_id: event.volumeId, name: event.name },
      ...{ state: event.state, attached_sandbox_id: event.attachedSandboxId },
    };
  }
  const ofSandbox = { ...common, sandbox_id: event.sandboxId };
  switch (event.kind) {
    case 'sandbox.state': {
      const { kind, name, state, previous, reason, failure } = event;
      return { ...ofSandbox, kind, name, state, previous, reason, failure };
    }
    case 'sandbox.changed': {
      const changed = event.changed.map((field) =>
        field === 'snapshotSchedule' ? 'snapshot_schedule' : field,
      );
      return { ...ofSandbox, kind: event.kind, name: event.name, changed };
    }
    case 'egress.denied': {
      const { kind, host, port, reason } = event;
      return { ...ofSandbox, kind, host, port, reason };
    }
    case 'process.ended': {
      const { kind, processId, exitCode } = event;
      return { ...ofSandbox, kind, process_id: processId, exit_code: exitCode };
    }
    case 'snapshot.state': {
      const { kind, snapshotId, name, state } = event;
      return { ...ofSandbox, kind, snapshot_id: snapshotId, name, state };
    }
  }
}
