import type { SandboxParts } from './sandbox-parts.ts';

const everyMs = 3_600_000;
/** Rows that one transaction removes. */
const atOnce = 500;

/** Removes records of sandboxes that were destroyed long ago, and of requests that are not repeated. */
export function createPruner({ storage, clock, timers, policy, onBackgroundError }: SandboxParts): {
  start(): void;
  close(): void;
} {
  let cancel: () => void = () => undefined;
  let closed = false;

  const prune = async (): Promise<void> => {
    const nowMs = clock.nowMs();
    while (!closed) {
      const before = nowMs - policy.destroyedRetentionMs;
      if ((await storage.sandboxes.prune(before, atOnce)).length < atOnce) break;
    }
    while (!closed && (await storage.idempotency.prune(nowMs, atOnce)) === atOnce);
  };

  const again = (): void => {
    if (closed) return;
    cancel = timers.after(everyMs, () => void round());
  };

  const round = async (): Promise<void> => {
    await prune().catch((error: unknown) => onBackgroundError(error, { id: '', workspaceId: '' }));
    again();
  };

  return {
    start: () => void round(),
    close() {
      closed = true;
      cancel();
    },
  };
}
