import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * In the state directory: a JSON array of the cgroups beneath which this server's groups may be. A
 * server started from another terminal or unit is in another cgroup, and would not find what an
 * earlier one left behind.
 */
const fileName = 'cgroup-bases.json';

/** Empty when nothing was recorded, or nothing readable. */
export function readGroupBases(stateDirectory: string): readonly string[] {
  try {
    const bases: unknown = JSON.parse(readFileSync(join(stateDirectory, fileName), 'utf8'));
    return Array.isArray(bases) ? bases.filter((base) => typeof base === 'string') : [];
  } catch {
    return [];
  }
}

export function recordGroupBases(stateDirectory: string, bases: readonly string[]): void {
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
  writeFileSync(join(stateDirectory, fileName), JSON.stringify([...new Set(bases)]), {
    mode: 0o600,
  });
}
