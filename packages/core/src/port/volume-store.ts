import type { Volume, VolumeFilter } from '../sandbox/volume.ts';
import type { Page, PageRequest } from './page.ts';

export interface VolumeStore {
  /**
   * @throws SandgateError `volume_exists` when the workspace has a volume of that name,
   * `workspace_not_found` when its workspace is not stored.
   */
  insert(volume: Volume): Promise<void>;
  /** Stores a new state. False when it is not stored. */
  setState(id: string, state: Volume['state'], atMs: number): Promise<boolean>;
  /**
   * Gives free volumes in state `ready` to a sandbox, all of them or none. What is attached to that
   * sandbox already stays so. Null when it was done, else the id of the first that is not free.
   */
  attach(
    volumes: readonly { readonly volumeId: string; readonly guestPath: string }[],
    sandboxId: string,
    atMs: number,
  ): Promise<string | null>;
  /** Frees all volumes of a sandbox. @returns those that it had, as they are now */
  detach(sandboxId: string, atMs: number): Promise<readonly Volume[]>;
  /** Marks a free volume as `deleting`, so that nobody attaches it. False when it is not free. */
  beginRemoval(id: string, atMs: number): Promise<boolean>;
  /** False when there was none. */
  remove(id: string): Promise<boolean>;
  findById(id: string): Promise<Volume | null>;
  findByName(workspaceId: string, name: string): Promise<Volume | null>;
  /** Newest first. */
  page(workspaceId: string, filter: VolumeFilter, page: PageRequest): Promise<Page<Volume>>;
  /** Of all workspaces, oldest first: what is read when the server starts. */
  list(): Promise<readonly Volume[]>;
}
