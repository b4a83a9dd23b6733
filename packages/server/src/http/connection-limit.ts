import { readFileSync } from 'node:fs';

/** What connections leave of the server's descriptors is for sandboxes, the database and the log. */
const share = 0.5;
const usualOpenFiles = 1_024;
const fewest = 16;

/** How many connections may be open at once: a share of the descriptors that this process may have. */
export function connectionLimit(readLimits = readOwnLimits): number {
  // `Max open files  <soft>  <hard>  files` (proc_pid_limits(5)).
  const soft = /^Max open files\s+(\d+)/m.exec(readLimits())?.[1];
  return Math.max(fewest, Math.floor(Number(soft ?? usualOpenFiles) * share));
}

function readOwnLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return '';
  }
}
