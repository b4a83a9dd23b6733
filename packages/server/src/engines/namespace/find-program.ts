import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export const systemSearchPath = '/usr/bin:/bin:/usr/sbin:/sbin';

/** Absolute path of a program in a `PATH`, or null. */
export function findProgram(name: string, searchPath: string): string | null {
  for (const directory of searchPath.split(delimiter).filter((entry) => entry.startsWith('/'))) {
    const path = join(directory, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not here.
    }
  }
  return null;
}
