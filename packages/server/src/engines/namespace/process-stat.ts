import { readFileSync } from 'node:fs';

/**
 * Fields of a `stat` file of a process or thread from the third on, its state (proc(5)); null when it
 * has ended.
 */
export function readProcessStat(path: string): readonly string[] | null {
  try {
    const stat = readFileSync(path, 'latin1');
    // The name in field 2 may hold anything, also blanks and brackets.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}
