import type { Snapshot } from '@sandgate/core';
import { z } from 'zod';
import { nullableTime, reference, time, toNullableTime, toTime } from '../shared-schemas.ts';

export const snapshotParams = z.strictObject({ snapshot: reference('Id of the snapshot') });

export const snapshotState = z.enum(['creating', 'ready', 'failed']);

export const snapshotItem = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    workspace_id: z.string(),
    sandbox_id: z.string().meta({ description: 'It may be destroyed by now' }),
    template: z.string(),
    state: snapshotState,
    automatic: z.boolean().meta({ description: 'Made by a schedule' }),
    size_bytes: z.int().nullable().meta({ description: 'Once it is ready' }),
    failure: z.string().nullable(),
    created_at: time,
    expires_at: nullableTime,
  })
  .meta({ id: 'Snapshot' });

export const toSnapshotItem = (snapshot: Snapshot): z.input<typeof snapshotItem> => ({
  id: snapshot.id,
  name: snapshot.name,
  workspace_id: snapshot.workspaceId,
  sandbox_id: snapshot.sandboxId,
  template: snapshot.template,
  state: snapshot.state,
  automatic: snapshot.automatic,
  size_bytes: snapshot.state === 'ready' ? snapshot.sizeBytes : null,
  failure: snapshot.state === 'failed' ? snapshot.failureReason : null,
  created_at: toTime(snapshot.createdAtMs),
  expires_at: toNullableTime(snapshot.expiresAtMs),
});
