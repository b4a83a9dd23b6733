import { SandgateError } from '../error/sandgate-error.ts';
import type { Storage } from '../port/storage.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { snapshotNotFound } from './not-found.ts';
import type { Snapshot } from './snapshot.ts';

/** @throws SandgateError `snapshot_not_found` */
export async function findSnapshot(
  { storage }: { readonly storage: Pick<Storage, 'snapshots'> },
  workspace: Workspace,
  snapshotId: string,
): Promise<Snapshot> {
  const found = await storage.snapshots.findById(snapshotId);
  if (found?.workspaceId === workspace.id) return found;
  throw snapshotNotFound();
}

/** One that a sandbox can start with. @throws SandgateError `snapshot_not_ready` as well */
export async function findReadySnapshot(
  parts: { readonly storage: Pick<Storage, 'snapshots'> },
  workspace: Workspace,
  snapshotId: string,
): Promise<Snapshot> {
  const snapshot = await findSnapshot(parts, workspace, snapshotId);
  if (snapshot.state === 'ready') return snapshot;
  throw new SandgateError(
    'snapshot_not_ready',
    snapshot.state === 'creating'
      ? 'The snapshot is still being made. Wait until it is ready'
      : `The snapshot failed: ${snapshot.failureReason}`,
  );
}
