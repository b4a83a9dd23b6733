import { statSync } from 'node:fs';
import { dirname } from 'node:path';

/** True when any user can walk to a path and read it: every directory above it is open to others. */
export function reachableByOthers(path: string): boolean {
  try {
    const stat = statSync(path);
    const needed = stat.isDirectory() || (stat.mode & 0o111) !== 0 ? 0o5 : 0o4;
    if ((stat.mode & needed) !== needed) return false;
    for (let at = dirname(path); ; at = dirname(at)) {
      if ((statSync(at).mode & 0o1) === 0) return false;
      if (at === dirname(at)) return true;
    }
  } catch {
    return false;
  }
}
