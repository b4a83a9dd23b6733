import { readProcessStat } from './process-stat.ts';

/** When a process started, in clock ticks since boot (proc(5), /proc/pid/stat, field 22). */
export function processStartTime(pid: number): string | null {
  return readProcessStat(`/proc/${pid}/stat`)?.[19] ?? null;
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
