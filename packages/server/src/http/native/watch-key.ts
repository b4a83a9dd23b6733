const everyMs = 5_000;

/**
 * A key that is revoked, disabled or expired loses the connections and streams that it holds, soon after. `isGood`
 * rejects when nobody can tell. @returns what ends the watching
 */
export function watchKey(end: () => void, isGood: () => Promise<boolean>): () => void {
  const look = async (): Promise<void> => {
    if (!(await isGood())) end();
  };
  const timer = setInterval(() => void look().catch(() => undefined), everyMs);
  return () => clearInterval(timer);
}
