import type { RecordChange } from '../audit/audited-change.ts';
import type { Registry } from '../registry/registry.ts';

export interface RegistryStore {
  /** @throws SandgateError `quota_exceeded` when its workspace has `most` already, `workspace_not_found` */
  insert(registry: Registry, most: number, record?: RecordChange<Registry>): Promise<void>;
  /** Undefined: of any workspace. Null for one of another workspace. */
  find(workspaceId: string | undefined, id: string): Promise<Registry | null>;
  /** Oldest first. */
  list(workspaceId: string): Promise<readonly Registry[]>;
  /**
   * Stores what `change` makes of the registry that is stored now; its id and workspace stay. What `change`
   * throws changes nothing. Null: there is none of that id within the workspace.
   */
  change(
    workspaceId: string,
    id: string,
    change: (stored: Registry) => Registry,
    record?: RecordChange<Registry>,
  ): Promise<Registry | null>;
  /** False: there was none. */
  remove(workspaceId: string, id: string, record?: RecordChange<Registry>): Promise<boolean>;
}
