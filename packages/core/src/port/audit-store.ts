import type { AuditEntry, NewAuditEntry } from '../audit/audit-entry.ts';

export interface AuditFilter {
  readonly workspaceId?: string;
  readonly action?: string;
  readonly keyNumber?: number;
  readonly fromMs?: number;
  readonly toMs?: number;
}

/** Append-only. Entries are chained by hash, so that a change, a gap or a swap shows. */
export interface AuditStore {
  /** Appends in order, in one transaction; safe beside other processes that append. */
  append(entries: readonly NewAuditEntry[]): Promise<void>;
  /** Newest first. */
  list(
    filter: AuditFilter,
    page: { readonly limit: number; readonly beforeSequence?: number },
  ): Promise<{
    readonly entries: readonly AuditEntry[];
    readonly nextBeforeSequence: number | null;
  }>;
  /** In order, for verification. */
  read(afterSequence: number, limit: number): Promise<readonly AuditEntry[]>;
}
