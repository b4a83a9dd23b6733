import type { UsageStore } from '../port/usage-store.ts';
import type { NewUsageRow, UsageEnd } from './usage-row.ts';

/** Runs a function when everything of the current turn of the event loop has been taken in. */
export type Defer = (run: () => void) => void;

/** Writes down every request of a key. Each method resolves when its row is committed. */
export interface UsageLedger {
  /** A request that changes nothing: one row, when it is over. */
  record(row: NewUsageRow): Promise<unknown>;
  /** A request that is about to change something. @returns the row's id */
  begin(row: NewUsageRow): Promise<number>;
  end(end: UsageEnd): Promise<void>;
}

interface Batch {
  readonly begun: NewUsageRow[];
  readonly ended: UsageEnd[];
  /** The ids of `begun`. */
  readonly committed: Promise<readonly number[]>;
}

/**
 * Commits everything of one turn of the event loop in one transaction: a busy server pays for one
 * commit, and every caller still gets its answer only after its own row is stored.
 */
export function createUsageLedger(
  store: Pick<UsageStore, 'write'>,
  defer: Defer = setImmediate,
): UsageLedger {
  let open: Batch | null = null;

  const batch = (): Batch => {
    if (open !== null) return open;
    const begun: NewUsageRow[] = [];
    const ended: UsageEnd[] = [];
    const committed = new Promise<readonly number[]>((resolve, reject) => {
      defer(() => {
        open = null;
        store.write({ begun, ended }).then(resolve, reject);
      });
    });
    open = { begun, ended, committed };
    return open;
  };

  const begin = async (row: NewUsageRow): Promise<number> => {
    const { begun, committed } = batch();
    const index = begun.push(row) - 1;
    const id = (await committed)[index];
    if (id === undefined) throw new Error('The usage store gave no id to a row.');
    return id;
  };

  return {
    begin,
    record(row) {
      const { begun, committed } = batch();
      begun.push(row);
      return committed;
    },
    async end(end) {
      const { ended, committed } = batch();
      ended.push(end);
      await committed;
    },
  };
}
