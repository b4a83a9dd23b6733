import { mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  errorCodeOf,
  processesIn,
  readControl,
  removeCgroup,
  tryWriteControl,
  writeControl,
} from './cgroup-files.ts';

/** The cgroup into which the server moves, beside those of its sandboxes. */
const serverLeafName = 'sandgate-server';

const wantedControllers = ['memory', 'pids', 'cpu'] as const;
export type V2Controller = (typeof wantedControllers)[number];

export interface Delegation {
  /** The cgroup beneath which sandboxes get theirs. */
  readonly base: string;
  readonly enabled: ReadonlySet<V2Controller>;
  readonly problems: Readonly<Partial<Record<V2Controller, string>>>;
  /** Undoes it, as far as nobody else depends on it. Never throws. */
  release(): Promise<void>;
}

/**
 * Makes the server's own cgroup ready for children with limits. Controllers can be enabled for
 * children only while no process is in the cgroup itself (cgroup-v2.rst, "No Internal Process
 * Constraint"), so the server moves into a leaf, together with the processes it was started by, as
 * `npm start` is; a cgroup that holds anything else was not given to this server and is left alone.
 *
 * @throws what the file system answers when the cgroup cannot be written
 */
export async function takeDelegation(ownDirectory: string, procRoot: string): Promise<Delegation> {
  const base = basename(ownDirectory) === serverLeafName ? dirname(ownDirectory) : ownDirectory;
  const offered = new Set(readControl(base, 'cgroup.controllers').split(/\s+/));
  const already = new Set(readControl(base, 'cgroup.subtree_control').split(/\s+/));
  const enabled = new Set<V2Controller>();
  const problems: Partial<Record<V2Controller, string>> = {};
  const added: V2Controller[] = [];
  const moved: number[] = [];
  const leaf = join(base, serverLeafName);

  for (const controller of wantedControllers) {
    if (already.has(controller)) enabled.add(controller);
    else if (!offered.has(controller)) {
      problems[controller] = `the ${controller} controller is not delegated to ${base}`;
    } else {
      try {
        enableController(controller);
        added.push(controller);
        enabled.add(controller);
      } catch (error) {
        problems[controller] = error instanceof Error ? error.message : String(error);
      }
    }
  }

  async function release(): Promise<void> {
    for (const controller of added) {
      tryWriteControl(base, 'cgroup.subtree_control', `-${controller}`);
    }
    for (const pid of moved) tryWriteControl(base, 'cgroup.procs', String(pid));
    if (moved.length > 0 && processesIn(leaf).length === 0)
      await removeCgroup(leaf).catch(() => {});
  }

  function enableController(controller: V2Controller): void {
    try {
      writeControl(base, 'cgroup.subtree_control', `+${controller}`);
    } catch (error) {
      if (errorCodeOf(error) !== 'EBUSY') throw error;
      moveIntoLeaf();
      writeControl(base, 'cgroup.subtree_control', `+${controller}`);
    }
  }

  function moveIntoLeaf(): void {
    const residents = processesIn(base);
    const strangers = residents.filter((pid) => !ancestorsAndSelf(procRoot).has(pid));
    if (strangers.length > 0) {
      throw new Error(`${base} also holds processes that do not belong to the server`);
    }
    mkdirSync(leaf, { recursive: true });
    for (const pid of residents) {
      writeControl(leaf, 'cgroup.procs', String(pid));
      moved.push(pid);
    }
  }

  if (enabled.size === 0) await release();
  return { base, enabled, problems, release };
}

function ancestorsAndSelf(procRoot: string): ReadonlySet<number> {
  const pids = new Set<number>();
  for (let pid = process.pid; pid > 0 && !pids.has(pid); ) {
    pids.add(pid);
    try {
      const status = readFileSync(join(procRoot, String(pid), 'status'), 'utf8');
      pid = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? 0);
    } catch {
      break;
    }
  }
  return pids;
}
