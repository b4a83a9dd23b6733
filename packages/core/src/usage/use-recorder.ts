import type { KeyStore, KeyUse } from '../port/storage.ts';

/** Runs a function when the current turn of the event loop is over. */
export type Defer = (run: () => void) => void;

export interface UseRecorder {
  /** Resolves when the use is committed; rejects when the store refuses it. */
  record(keyId: string, atMs: number): Promise<void>;
}

interface Batch {
  readonly uses: Map<string, KeyUse>;
  readonly committed: Promise<void>;
}

/**
 * Commits all uses of one turn of the event loop in one transaction: a busy server pays for one
 * commit, and a caller still gets its answer only after its own use is stored.
 */
export function createUseRecorder(
  keys: Pick<KeyStore, 'recordUse'>,
  defer: Defer = setImmediate,
): UseRecorder {
  let open: Batch | null = null;

  const openBatch = (): Batch => {
    const uses = new Map<string, KeyUse>();
    const committed = new Promise<void>((resolve, reject) => {
      defer(() => {
        open = null;
        keys.recordUse([...uses.values()]).then(resolve, reject);
      });
    });
    return { uses, committed };
  };

  return {
    record(keyId, atMs) {
      open ??= openBatch();
      const earlier = open.uses.get(keyId);
      open.uses.set(keyId, {
        keyId,
        count: (earlier?.count ?? 0) + 1,
        lastUsedAtMs: Math.max(earlier?.lastUsedAtMs ?? 0, atMs),
      });
      return open.committed;
    },
  };
}
