import type { Volume } from '@sandgate/core';
import { z } from 'zod';
import { nullableTime, reference, time, toNullableTime, toTime } from '../shared-schemas.ts';

export const volumeParams = z.strictObject({ volume: reference('Id or name of the volume') });

export const volumeItem = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    workspace_id: z.string(),
    size_mib: z.int(),
    state: z.enum(['creating', 'ready', 'deleting']),
    attached_sandbox_id: z.string().nullable().meta({ description: 'null: it is free' }),
    path: z.string().nullable().meta({ description: 'Where it is, or was last, in a sandbox' }),
    last_attached_at: nullableTime,
    created_at: time,
    updated_at: time,
  })
  .meta({ id: 'Volume' });

export const toVolumeItem = (volume: Volume): z.input<typeof volumeItem> => ({
  id: volume.id,
  name: volume.name,
  workspace_id: volume.workspaceId,
  size_mib: volume.sizeMib,
  state: volume.state,
  attached_sandbox_id: volume.attachedSandboxId,
  path: volume.guestPath,
  last_attached_at: toNullableTime(volume.lastAttachedAtMs),
  created_at: toTime(volume.createdAtMs),
  updated_at: toTime(volume.updatedAtMs),
});
