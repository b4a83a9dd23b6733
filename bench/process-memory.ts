import { readdirSync, readFileSync } from 'node:fs';

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
}

function processes(): readonly ProcessEntry[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        // The command's name may hold spaces and brackets: the fields after its last bracket count.
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return [{ pid: Number(name), parent: Number(fields[1]) }];
      } catch {
        return [];
      }
    });
}

/** A process's descendants, without itself. */
export function descendantsOf(root: number): readonly number[] {
  const all = processes();
  const found: number[] = [];
  let parents = [root];
  while (parents.length > 0) {
    const children = all.filter(({ parent }) => parents.includes(parent)).map(({ pid }) => pid);
    found.push(...children);
    parents = children;
  }
  return found;
}

/** Proportional set size of some processes together, in megabytes (10^6 bytes). */
export function megabytesOf(pids: readonly number[]): number {
  const kibibytes = pids.map((pid) => {
    try {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
      return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1] ?? 0);
    } catch {
      return 0;
    }
  });
  return (kibibytes.reduce((sum, each) => sum + each, 0) * 1_024) / 1e6;
}

/** Resident set size of a process, in megabytes (10^6 bytes). */
export function residentMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return (Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024) / 1e6;
}
