import type { SandboxResources } from '@sandgate/core';

export type LimitedResource = 'memory' | 'cpu' | 'processes';

export interface ResourceUsage {
  /** CPU time that the group has used since it was made. */
  readonly cpuMs: number;
  readonly memoryBytes: number;
  readonly processes: number;
}

/** The cgroup, or with v1 the several cgroups, of one sandbox. */
export interface CgroupGroup {
  openJoinFds(): number[];
  usage(): ResourceUsage | null;
  kill(): Promise<void>;
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Those that are in the group now; none when it is gone. */
  processes(): readonly number[];
  remove(): Promise<void>;
  /** Sets another limit, where memory is limited at all. Never throws. */
  setMemoryMib(memoryMib: number): void;
}

/** One cgroup version on this machine, after it was tried out. */
export interface CgroupAdapter {
  readonly version: 1 | 2;
  /** Resources that it really limits here. */
  readonly limits: ReadonlySet<LimitedResource>;
  /** Why each of the others cannot be limited. */
  readonly problems: Readonly<Partial<Record<LimitedResource, string>>>;
  /** Groups can be frozen. */
  readonly freezer: boolean;
  /** Directories beneath which groups are made. */
  readonly bases: readonly string[];
  /** @throws SandgateError `engine_failed` when a limit is refused; nothing is left then. */
  createGroup(name: string, resources: SandboxResources): Promise<CgroupGroup>;
  close(): Promise<void>;
}

/** Small limits that any machine can give, for trying a controller out. */
export const probeResources: SandboxResources = {
  memoryMib: 64,
  cpus: 0.5,
  diskMib: 1,
  maxProcesses: 8,
};
