import type { Sandbox, SandboxState } from '../sandbox/sandbox.ts';
import type { Page, PageRequest } from './page.ts';

/** Which sandboxes of a workspace a page is about. */
export interface SandboxFilter {
  /** Default: every state but `destroyed`. */
  readonly states?: readonly SandboxState[];
  readonly template?: string;
  /** Those that carry all of these. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly name?: string;
  readonly namePrefix?: string;
  /** What the name contains; ASCII letters match in either case. */
  readonly search?: string;
  readonly createdByKey?: number;
}

export interface SandboxStore {
  /** The sandbox of that name that is not destroyed. */
  findByName(workspaceId: string, name: string): Promise<Sandbox | null>;
  /** Finds destroyed sandboxes too. */
  findById(id: string): Promise<Sandbox | null>;
  /** Not destroyed, by name in the order of its ASCII characters. Absent workspace: all. */
  list(workspaceId?: string): Promise<readonly Sandbox[]>;
  /** Newest first. */
  page(workspaceId: string, filter: SandboxFilter, page: PageRequest): Promise<Page<Sandbox>>;
  /**
   * @throws SandgateError `sandbox_exists` when the workspace has a sandbox of that name that is not
   * destroyed, `workspace_not_found` when its workspace is not stored.
   */
  insert(sandbox: Sandbox): Promise<void>;
  /**
   * Stores everything but id, workspace, creator and time of creation, which never change. Keys that are
   * restricted to a sandbox are revoked in the transaction that destroys it, and their children.
   * @throws SandgateError `sandbox_not_found` when it is not stored, or is destroyed, which is final;
   * `sandbox_exists` when another one has its new name.
   */
  update(sandbox: Sandbox): Promise<void>;
  /** Stores times of last activity, in one transaction. Sandboxes that are not stored are passed over. */
  recordActivity(activity: ReadonlyMap<string, number>): Promise<void>;
  /** A state that no sandbox is in is absent. */
  countByState(): Promise<Readonly<Partial<Record<SandboxState, number>>>>;
  /** After a crash nothing runs: every state that claims a process becomes `stopped`. Returns how many. */
  markAllStopped(atMs: number): Promise<number>;
  /** Removes sandboxes that were destroyed before a time, at most so many. @returns their ids */
  prune(destroyedBeforeMs: number, most: number): Promise<readonly string[]>;
}
