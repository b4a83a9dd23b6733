import type { Snapshot, SnapshotFilter } from '../sandbox/snapshot.ts';
import type { Page, PageRequest } from './page.ts';

export interface SnapshotStore {
  /**
   * @throws SandgateError `snapshot_exists` when the sandbox has a snapshot of that name that has not
   * failed, `workspace_not_found` when its workspace is not stored.
   */
  insert(snapshot: Snapshot): Promise<void>;
  /** Stores state, size, failure and expiry. False when it is not stored. */
  update(snapshot: Snapshot): Promise<boolean>;
  /** False when there was none. */
  remove(id: string): Promise<boolean>;
  findById(id: string): Promise<Snapshot | null>;
  /** Newest first. */
  page(workspaceId: string, filter: SnapshotFilter, page: PageRequest): Promise<Page<Snapshot>>;
  /** Of all workspaces, oldest first: what is read when the server starts. */
  list(): Promise<readonly Snapshot[]>;
}
