import { SandgateError } from '../error/sandgate-error.ts';
import type { LimitedResource, SandboxLimits, SandboxUse } from './sandbox-limits.ts';

/** Whose resources are counted. */
export interface ResourceOwner {
  readonly kind: 'workspace' | 'key' | 'host';
  /** Unique over all kinds. */
  readonly id: string;
  readonly limits: SandboxLimits;
}

export type ResourceAmounts = Partial<SandboxUse>;

interface Holding {
  readonly ownerIds: readonly string[];
  readonly amounts: ResourceAmounts;
}

const nothing: SandboxUse = {
  sandboxes: 0,
  running: 0,
  cpus: 0,
  memoryMib: 0,
  diskMib: 0,
  volumes: 0,
  volumeMib: 0,
  snapshots: 0,
};

/** Sums of fractional CPUs differ from what people mean by less than this. */
const tolerance = 1e-9;

/**
 * What workspaces, keys and the host hold. It decides at once, without waiting for a store, so that
 * what happens side by side cannot pass a limit together.
 */
export class ResourceLedger {
  readonly #used = new Map<string, SandboxUse>();
  readonly #holdings = new Map<string, Holding>();

  /**
   * Counts amounts for all owners, or for none. `holding` names what they are for; one that is held
   * already stays as it is.
   * @throws SandgateError `plan_refused`, `quota_exceeded` or `capacity_exceeded`, by the owner's kind
   */
  reserve(holding: string, owners: readonly ResourceOwner[], amounts: ResourceAmounts): void {
    if (this.#holdings.has(holding)) return;
    for (const owner of owners) this.#requireRoom(owner, amounts);
    this.load(holding, owners, amounts);
  }

  /** Counts what is there already, over the limits too. */
  load(
    holding: string,
    owners: readonly Pick<ResourceOwner, 'id'>[],
    amounts: ResourceAmounts,
  ): void {
    if (this.#holdings.has(holding)) return;
    const ownerIds = owners.map(({ id }) => id);
    this.#holdings.set(holding, { ownerIds, amounts });
    for (const id of ownerIds) this.#add(id, amounts, 1);
  }

  release(holding: string): void {
    const held = this.#holdings.get(holding);
    if (held === undefined) return;
    this.#holdings.delete(holding);
    for (const id of held.ownerIds) this.#add(id, held.amounts, -1);
  }

  used(ownerId: string): SandboxUse {
    return this.#used.get(ownerId) ?? nothing;
  }

  #requireRoom({ id, kind, limits }: ResourceOwner, amounts: ResourceAmounts): void {
    const used = this.used(id);
    for (const [name, amount] of Object.entries(amounts)) {
      const resource = name as LimitedResource;
      const allowed = limits[resource];
      if (allowed === null) continue;
      // A volume is bounded by itself; everything else together with what there is.
      const wanted = resource === 'volumeMib' ? amount : used[resource] + amount;
      if (wanted > allowed + tolerance) throw refusals[kind](resource, allowed);
    }
  }

  #add(ownerId: string, amounts: ResourceAmounts, sign: 1 | -1): void {
    const sums = { ...this.used(ownerId) };
    for (const [name, amount] of Object.entries(amounts)) {
      sums[name as LimitedResource] += sign * amount;
    }
    const empty = Object.values(sums).every((sum) => Math.abs(sum) < tolerance);
    if (empty) this.#used.delete(ownerId);
    else this.#used.set(ownerId, sums);
  }
}

const wordings: Readonly<Record<LimitedResource, (allowed: number) => string>> = {
  sandboxes: (allowed) => `${allowed} sandboxes`,
  running: (allowed) => `${allowed} running sandboxes`,
  cpus: (allowed) => `${allowed} CPUs for all running sandboxes`,
  memoryMib: (allowed) => `${allowed} MiB of memory for all running sandboxes`,
  diskMib: (allowed) => `${allowed} MiB of disk for all running sandboxes`,
  volumes: (allowed) => `${allowed} volumes`,
  volumeMib: (allowed) => `volumes of up to ${allowed} MiB`,
  snapshots: (allowed) => `${allowed} snapshots`,
};

const refusals: Readonly<
  Record<ResourceOwner['kind'], (resource: LimitedResource, allowed: number) => SandgateError>
> = {
  workspace: (resource, allowed) =>
    new SandgateError(
      'plan_refused',
      `The plan of this workspace allows ${wordings[resource](allowed)}. Remove what is not needed, or choose a larger plan`,
      { data: { resource, allowed } },
    ),
  key: (resource, allowed) =>
    new SandgateError(
      'quota_exceeded',
      `This API key may have ${wordings[resource](allowed)}. Remove what is not needed, or use another key`,
      { data: { resource, allowed } },
    ),
  host: (resource, allowed) =>
    new SandgateError(
      'capacity_exceeded',
      resource === 'running'
        ? `This server runs ${allowed} sandboxes at most. Stop one, or ask the operator to raise maxSandboxes`
        : `This server has ${wordings[resource](allowed)}, and they are in use. Stop one, or ask the operator to raise capacity`,
      { data: { resource, allowed } },
    ),
};
