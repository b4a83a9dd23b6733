import type { Snapshot } from '@sandgate/core';
import { toTime, toTimeOrNull } from '../time-text.ts';

export const snapshotObject = (snapshot: Snapshot): object => ({
  id: snapshot.id,
  sandbox_id: snapshot.sandboxId,
  name: snapshot.name,
  image_tag: `snapshot-${snapshot.id}`,
  source_template: snapshot.template,
  status: snapshot.state,
  failure_reason: snapshot.state === 'failed' ? snapshot.failureReason : null,
  size_bytes: snapshot.state === 'ready' ? snapshot.sizeBytes : null,
  created_at: toTime(snapshot.createdAtMs),
  expires_at: toTimeOrNull(snapshot.expiresAtMs),
});
