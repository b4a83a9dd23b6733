import type { Workspace } from '../workspace/workspace.ts';
import { type ResourceAmounts, ResourceLedger, type ResourceOwner } from './resource-ledger.ts';
import type { Sandbox } from './sandbox.ts';
import type { KeyHolder, SandboxCaller } from './sandbox-caller.ts';
import type { SandboxResources } from './sandbox-definition.ts';
import { type SandboxLimits, type SandboxUse, unlimitedSandboxes } from './sandbox-limits.ts';
import type { SandboxPolicy } from './sandbox-policy.ts';
import type { Snapshot } from './snapshot.ts';
import { type LayerCount, StoredQuota } from './stored-quota.ts';

/** A sandbox as far as its admission is concerned. */
interface Admitted {
  readonly id: string;
  readonly resources: SandboxResources;
}

/**
 * What may exist, and what may run: the plan of the workspace, the limits of the key, and what the
 * host has. Everything is decided and counted in one step that waits for nothing.
 */
export class SandboxAdmission {
  readonly #policy: SandboxPolicy;
  readonly #ledger = new ResourceLedger();
  readonly #stored: StoredQuota;
  /** Frees what is kept in reserve on the host. False when there is nothing of that kind. */
  #makeRoom: () => boolean = () => false;

  constructor(policy: SandboxPolicy) {
    this.#policy = policy;
    this.#stored = new StoredQuota(policy.stored);
  }

  onCrowded(makeRoom: () => boolean): void {
    this.#makeRoom = makeRoom;
  }

  /** Counts a new sandbox, running. @throws SandgateError, and nothing is counted */
  enter(sandbox: Admitted, workspace: Workspace, caller: SandboxCaller | null): void {
    this.#ledger.reserve(existing(sandbox.id), this.#owners(workspace, caller), { sandboxes: 1 });
    try {
      this.#stored.enter(sandbox.id, workspace.id);
      this.run(sandbox, workspace, caller);
    } catch (error) {
      this.leave(sandbox.id);
      throw error;
    }
  }

  /** Counts a sandbox that is about to run. @throws SandgateError, and nothing is counted */
  run(sandbox: Admitted, workspace: Workspace, caller: SandboxCaller | null): void {
    const amounts = amountsOf(sandbox.resources);
    const own = this.#owners(workspace, caller);
    for (;;) {
      try {
        this.#ledger.reserve(running(sandbox.id), [...own, this.#host()], amounts);
        return;
      } catch (error) {
        if (!isCrowded(error) || !this.#makeRoom()) throw error;
      }
    }
  }

  /** Counts one that nobody has yet. False when the host has no room for it. */
  reserveOnHost(sandbox: Admitted): boolean {
    try {
      this.#ledger.reserve(running(sandbox.id), [this.#host()], amountsOf(sandbox.resources));
      return true;
    } catch {
      return false;
    }
  }

  /** It runs no more. */
  rest(id: string): void {
    this.#ledger.release(running(id));
  }

  /** It exists no more. */
  leave(id: string): void {
    this.rest(id);
    this.#ledger.release(existing(id));
    this.#stored.leave(id);
  }

  /** Counts a sandbox that is stored and does not run. `caller` made it. */
  load(sandbox: Sandbox, caller: SandboxCaller | null, layerBytes: number): void {
    const owners = [{ id: workspaceOwner(sandbox.workspaceId) }, ...keyOwners(caller)];
    this.#ledger.load(existing(sandbox.id), owners, { sandboxes: 1 });
    this.#stored.load(sandbox.id, sandbox.workspaceId, layerBytes);
  }

  countLayer(sandbox: Sandbox): LayerCount {
    return this.#stored.countLayer(sandbox.id, sandbox.workspaceId);
  }

  /** Counts the files of a snapshot while they are being stored. */
  countSnapshot({ id, workspaceId }: Snapshot): LayerCount {
    this.#stored.loadFiles(id, workspaceId, 0);
    return this.#stored.countLayer(id, workspaceId);
  }

  loadSnapshot({ id, workspaceId }: Snapshot, sizeBytes: number): void {
    this.loadKept(id, workspaceId, { snapshots: 1 });
    this.#stored.loadFiles(id, workspaceId, sizeBytes);
  }

  /** Counts a snapshot or a volume. @throws SandgateError, and nothing is counted */
  keep(
    id: string,
    amounts: ResourceAmounts,
    workspace: Workspace,
    caller: SandboxCaller | null,
  ): void {
    this.#ledger.reserve(kept(id), this.#owners(workspace, caller), amounts);
  }

  loadKept(id: string, workspaceId: string, amounts: ResourceAmounts): void {
    this.#ledger.load(kept(id), [{ id: workspaceOwner(workspaceId) }], amounts);
  }

  drop(id: string): void {
    this.#ledger.release(kept(id));
    this.#stored.leave(id);
  }

  limits(workspace: Workspace): SandboxLimits {
    return this.#policy.limitsOf(workspace);
  }

  used(workspace: Workspace): SandboxUse {
    return this.#ledger.used(workspaceOwner(workspace.id));
  }

  #owners(workspace: Workspace, caller: SandboxCaller | null): readonly ResourceOwner[] {
    const plan: ResourceOwner = {
      kind: 'workspace',
      id: workspaceOwner(workspace.id),
      limits: this.#policy.limitsOf(workspace),
    };
    return [plan, ...keyOwners(caller)];
  }

  #host(): ResourceOwner {
    const { maxSandboxes, capacity } = this.#policy;
    return {
      kind: 'host',
      id: 'host',
      limits: { ...unlimitedSandboxes, running: maxSandboxes, ...capacity },
    };
  }
}

const existing = (id: string): string => `sandbox:${id}`;
const running = (id: string): string => `running:${id}`;
const kept = (id: string): string => `kept:${id}`;
const workspaceOwner = (id: string): string => `workspace:${id}`;

const keyOwners = (caller: SandboxCaller | null): readonly ResourceOwner[] =>
  (caller?.holders ?? []).map(({ keyNumber, limits }: KeyHolder) => ({
    kind: 'key',
    id: `key:${keyNumber}`,
    limits,
  }));

const amountsOf = ({ cpus, memoryMib, diskMib }: SandboxResources): ResourceAmounts => ({
  running: 1,
  cpus,
  memoryMib,
  diskMib,
});

const isCrowded = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'capacity_exceeded';
