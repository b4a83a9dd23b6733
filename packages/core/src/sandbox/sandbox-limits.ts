/** How much a workspace, or one key, may have. Null: as much as the server gives. */
export interface SandboxLimits {
  /** Sandboxes that are not destroyed. */
  readonly sandboxes: number | null;
  /** Sandboxes that run, paused ones included. */
  readonly running: number | null;
  /** Together, of those that run. */
  readonly cpus: number | null;
  readonly memoryMib: number | null;
  readonly diskMib: number | null;
  readonly volumes: number | null;
  /** Of one volume. */
  readonly volumeMib: number | null;
  readonly snapshots: number | null;
}

export type LimitedResource = keyof SandboxLimits;

/** What a plan allows. */
export interface SandboxPlan extends SandboxLimits {
  /** Whether a workspace on it may have a Brimble key. */
  readonly apiKeys: boolean;
}

export const unlimitedSandboxes: SandboxLimits = {
  sandboxes: null,
  running: null,
  cpus: null,
  memoryMib: null,
  diskMib: null,
  volumes: null,
  volumeMib: null,
  snapshots: null,
};

/** How much of each is in use; `volumeMib` is the sum of all volumes. */
export type SandboxUse = Readonly<Record<LimitedResource, number>>;
