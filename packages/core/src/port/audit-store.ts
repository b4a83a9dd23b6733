import type { AuditAppend } from '../audit/audit-chain.ts';
import type { AuditEntry } from '../audit/audit-entry.ts';
import type { SealedAuditHead } from '../audit/audit-seal.ts';

export interface AuditFilter {
  readonly workspaceId?: string | undefined;
  readonly action?: string | undefined;
  readonly keyNumber?: number | undefined;
  readonly userNumber?: number | undefined;
  readonly outcome?: AuditEntry['outcome'] | undefined;
  readonly fromMs?: number | undefined;
  /** Exclusive. */
  readonly toMs?: number | undefined;
}

export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  /** Give it as `beforeSequence` for the next page; null on the last one. */
  readonly nextBeforeSequence: number | null;
}

/**
 * Append-only. Entries are chained by hash, and the end of the chain is sealed, so that a change, a
 * gap or a swap shows. Chaining and sealing are the domain's; a store keeps what it is given.
 */
export interface AuditStore {
  /**
   * Hands the end of the log to `append`, and stores what it makes of it, in one transaction that no
   * other append can come between.
   */
  append(
    append: AuditAppend,
    options: { /** False: a power failure may take it. */ readonly durable: boolean },
  ): Promise<void>;
  /** Newest first. */
  list(
    filter: AuditFilter,
    page: { readonly limit: number; readonly beforeSequence?: number | undefined },
  ): Promise<AuditPage>;
  /** In order, for verification: at most `limit` entries behind a sequence, as they are stored. */
  read(afterSequence: number, limit: number): Promise<readonly AuditEntry[]>;
  /** Null when it was removed. */
  head(): Promise<SealedAuditHead | null>;
}
