import { readFile } from 'node:fs/promises';

/** Tells a process from a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in clock ticks since the boot: proc(5), `/proc/PID/stat` field 22. */
  readonly startTicks: string;
  /** proc(5), `/proc/sys/kernel/random/boot_id`: the ticks mean nothing after another boot. */
  readonly bootId: string;
}

/** Field 22 of a stat line. The name in field 2 may hold spaces and parentheses. */
function startTicksOf(stat: string): string | null {
  const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, ticks] = [afterName[0], afterName[19]];
  // A zombie has ended; its parent only has not looked yet.
  return ticks === undefined || state === 'Z' || state === 'X' ? null : ticks;
}

/** The identity of a process that runs, or null. */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | null> {
  try {
    const [stat, bootId] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ]);
    const startTicks = startTicksOf(stat);
    return startTicks === null ? null : { pid, startTicks, bootId: bootId.trim() };
  } catch {
    return null;
  }
}

/** Whether that very process still runs. */
export async function isStillRunning(identity: ProcessIdentity): Promise<boolean> {
  const now = await identifyProcess(identity.pid);
  return now?.startTicks === identity.startTicks && now.bootId === identity.bootId;
}
