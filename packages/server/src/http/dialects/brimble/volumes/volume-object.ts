import type { Volume, Workspace } from '@sandgate/core';
import { region } from '../region.ts';
import { teamObject } from '../team-object.ts';
import { toTime, toTimeOrNull } from '../time-text.ts';

/** Its handle has one name in Brimble's documentation and another in its clients. */
export const volumeObject = (volume: Volume, workspace: Workspace): object => ({
  id: volume.id,
  name: volume.name,
  type: 'sandbox',
  team: teamObject(workspace),
  csi_volume_id: volume.id,
  volume_handle: volume.id,
  size: Math.ceil(volume.sizeMib / 1_024),
  region,
  mount_path: volume.guestPath,
  attached_sandbox_id: volume.attachedSandboxId,
  attached_project_id: null,
  last_attached_at: toTimeOrNull(volume.lastAttachedAtMs),
  created_at: toTime(volume.createdAtMs),
  updated_at: toTime(volume.updatedAtMs),
});
