import type { Upgrade } from '../upgrade.ts';

const everyMs = 5_000;

/**
 * A key that is revoked, disabled or expired loses the connections that it holds, soon after. `isGood`
 * rejects when nobody can tell. @returns what ends the watching
 */
export function watchKey(upgrade: Upgrade, isGood: () => Promise<boolean>): () => void {
  const look = async (): Promise<void> => {
    if (!(await isGood())) upgrade.end();
  };
  const timer = setInterval(() => void look().catch(() => undefined), everyMs);
  return () => clearInterval(timer);
}
