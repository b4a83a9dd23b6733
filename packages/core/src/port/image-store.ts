import type { RecordChange } from '../audit/audited-change.ts';
import type { SandboxImage } from '../sandbox/sandbox-image.ts';

/** What is stored as the default takes that from the workspace's default before, in the same step. */
export interface ImageStore {
  /** @throws SandgateError `quota_exceeded` when its workspace has `most` already, `workspace_not_found` */
  insert(image: SandboxImage, most: number, record?: RecordChange<SandboxImage>): Promise<void>;
  /** Null for one of another workspace, where one is given. */
  find(workspaceId: string | undefined, id: string): Promise<SandboxImage | null>;
  /** Oldest first. */
  list(workspaceId: string): Promise<readonly SandboxImage[]>;
  /** Everything but id, workspace and time of creation. False: there is none of that id. */
  update(image: SandboxImage, record?: RecordChange<SandboxImage>): Promise<boolean>;
  /** False: there was none. */
  remove(workspaceId: string, id: string, record?: RecordChange<SandboxImage>): Promise<boolean>;
}
