import { readFileSync } from 'node:fs';

/** When a process started, in clock ticks since boot (proc(5), /proc/pid/stat, field 22). */
export function processStartTime(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in field 2 may hold anything, also blanks and brackets.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

/** Kills a process, if it is still the one that was recorded and not another with its number. */
export function killRecorded(recorded: { readonly pid: number; readonly startTime: string }): void {
  if (processStartTime(recorded.pid) !== recorded.startTime) return;
  try {
    process.kill(recorded.pid, 'SIGKILL');
  } catch {
    // Gone in between.
  }
}
