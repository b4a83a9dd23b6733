import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  type EngineCapabilities,
  type EngineFinding,
  type SandboxResources,
  SandgateError,
} from '@sandgate/core';
import type { CgroupAdapter, CgroupGroup, ResourceUsage } from './cgroup-adapter.ts';
import { type CgroupHierarchy, readCgroupHierarchies } from './cgroup-hierarchies.ts';
import { openCgroupV1, openCgroupV1Group } from './cgroup-v1.ts';
import { openCgroupV2, openCgroupV2Group } from './cgroup-v2.ts';
import { describeLimits } from './describe-limits.ts';
import { readGroupBases, recordGroupBases } from './group-bases.ts';
import { openFilesLimit, type ProcessLimits, processLimitsFor } from './process-limits.ts';
import { ThawGuard } from './thaw-guard.ts';

/** The limits of one sandbox. */
export interface ResourceGroup {
  /**
   * Opens each of the group's cgroups for joining. A process with one thread that writes `0` to each
   * is inside, with all that it starts from then on; so it joins before it executes anything. Who
   * opens needs the right to write, not who joins. The caller closes them. Empty without cgroups.
   */
  openJoinFds(): number[];
  /** Limits that the launching shell sets with `ulimit`, where no cgroup does the job. */
  readonly rlimits: ProcessLimits;
  /** Null when the machine does not account for all three. */
  usage(): ResourceUsage | null;
  /**
   * Kills every process in the group until none is left, also a frozen one. Without cgroups there is
   * no group to look into: nothing happens, and the launcher must end its processes itself.
   * @throws SandgateError `engine_failed` when a process does not die within ten seconds
   */
  kill(): Promise<void>;
  /** @throws SandgateError `engine_failed` when the group cannot be frozen, or there is none. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Those that are in the group now. Empty without cgroups. */
  processes(): readonly number[];
  /** Removes the group. Its processes must have ended. Idempotent. */
  remove(): Promise<void>;
  /** Sets another limit, where memory is limited by a cgroup. Never throws. */
  setMemoryMib(memoryMib: number): void;
}

export interface ResourceLimiter {
  readonly kinds: {
    readonly memory: EngineCapabilities['memoryLimit'];
    readonly cpu: EngineCapabilities['cpuLimit'];
    readonly processes: EngineCapabilities['processLimit'];
  };
  /** Groups can be frozen. */
  readonly freezer: boolean;
  /** What was found, and what would be better. */
  readonly findings: readonly EngineFinding[];
  /** @throws SandgateError `engine_failed` when a limit that was found to work is refused. */
  createGroup(id: string, resources: SandboxResources): Promise<ResourceGroup>;
  /** Kills and removes groups left by an earlier server of this state directory. */
  removeStale(): Promise<void>;
  close(): Promise<void>;
}

export interface ResourceLimiterOptions {
  readonly stateDirectory: string;
  /** Where cgroup hierarchies are mounted. Default: `/sys/fs/cgroup`. */
  readonly cgroupRoot?: string;
  /** Default: `/proc`. */
  readonly procRoot?: string;
}

/**
 * Finds out what this machine lets the server limit, by really making, limiting and removing a
 * cgroup. Never throws: without any right to cgroups, limits of single processes remain.
 */
export async function detectResourceLimiter(
  options: ResourceLimiterOptions,
): Promise<ResourceLimiter> {
  const procRoot = options.procRoot ?? '/proc';
  const stateDirectory = resolve(options.stateDirectory);
  const stateHash = createHash('sha256').update(stateDirectory).digest('hex').slice(0, 8);
  const prefix = `sandgate-${stateHash}-`;

  const adapter = await findAdapter(
    hierarchiesOrNone(procRoot, options.cgroupRoot ?? '/sys/fs/cgroup'),
    `${prefix}probe-${randomBytes(4).toString('hex')}`,
    procRoot,
  );
  const limits = adapter?.limits ?? new Set();
  const byCgroup = { memory: limits.has('memory'), processes: limits.has('processes') };
  const openFiles = openFilesLimit(procRoot);
  const guard =
    adapter?.version === 1 && adapter.freezer ? new ThawGuard(adapter.bases, prefix) : null;
  let basesRecorded = false;

  return {
    kinds: {
      memory: byCgroup.memory ? 'cgroup' : 'process',
      cpu: limits.has('cpu') ? 'cgroup' : 'none',
      processes: byCgroup.processes ? 'cgroup' : 'rlimit',
    },
    freezer: adapter?.freezer === true,
    findings: describeLimits(adapter),

    async createGroup(id, resources) {
      const rlimits = processLimitsFor(resources, byCgroup, openFiles);
      if (adapter === null || adapter.bases.length === 0) return { ...withoutCgroup, rlimits };
      if (!basesRecorded) {
        recordGroupBases(stateDirectory, [...readGroupBases(stateDirectory), ...adapter.bases]);
        basesRecorded = true;
      }
      const group = await adapter.createGroup(`${prefix}${id}`, resources);
      const freeze = async (): Promise<void> => {
        await guard?.start();
        await group.freeze();
      };
      return { ...group, freeze, rlimits };
    },

    async removeStale() {
      const recorded = readGroupBases(stateDirectory);
      const bases = new Set([...recorded, ...(adapter?.bases ?? [])]);
      for (const group of findGroups(bases, prefix)) {
        await group.kill();
        await group.remove();
      }
      if (recorded.length > 0) recordGroupBases(stateDirectory, adapter?.bases ?? []);
    },

    async close() {
      await guard?.close();
      await adapter?.close();
    },
  };
}

const withoutCgroup: CgroupGroup = {
  openJoinFds: () => [],
  usage: () => null,
  kill: async () => {},
  freeze: () =>
    Promise.reject(
      new SandgateError('engine_failed', 'Pausing needs cgroups, which this server cannot use.'),
    ),
  thaw: async () => {},
  processes: () => [],
  remove: async () => {},
  setMemoryMib: () => {},
};

/** Whichever version limits more here; v2 where they are equal. Null when neither limits anything. */
async function findAdapter(
  hierarchies: readonly CgroupHierarchy[],
  probeName: string,
  procRoot: string,
): Promise<CgroupAdapter | null> {
  const v1 = await openCgroupV1(hierarchies, probeName);
  if (v1 !== null && v1.limits.size === 3) return v1;
  const v2 = await openCgroupV2(hierarchies, probeName, procRoot);
  if (v1 === null || v2 === null) return v1 ?? v2;
  if (v2.limits.size >= v1.limits.size) return v2;
  await v2.close();
  return v1;
}

/** Groups of this server's state directory beneath the bases, each with its directories. */
function findGroups(bases: Iterable<string>, prefix: string): readonly CgroupGroup[] {
  const groups: CgroupGroup[] = [];
  const v1 = new Map<string, string[]>();
  for (const base of bases) {
    if (!existsSync(base)) continue;
    const unified = existsSync(join(base, 'cgroup.controllers'));
    for (const name of readdirSync(base).filter((entry) => entry.startsWith(prefix))) {
      if (unified) groups.push(openCgroupV2Group(join(base, name)));
      else v1.set(name, [...(v1.get(name) ?? []), join(base, name)]);
    }
  }
  for (const directories of v1.values()) groups.push(openCgroupV1Group(directories));
  return groups;
}

function hierarchiesOrNone(procRoot: string, cgroupRoot: string): readonly CgroupHierarchy[] {
  try {
    return readCgroupHierarchies(procRoot, cgroupRoot);
  } catch {
    // No /proc, or a kernel without cgroups.
    return [];
  }
}
