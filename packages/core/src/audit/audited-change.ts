import type { AuditAppend } from './audit-chain.ts';
import type { AuditRecord } from './audit-log.ts';

/** What becomes known of a change while it is made. */
export type ChangeFacts = Pick<AuditRecord, 'target' | 'workspaceId' | 'details'>;

/**
 * A change that is being made, and its record. Whoever makes the change gives the record to the store
 * with it, so that both are committed in one transaction.
 */
export interface AuditedChange {
  /** Adds to what the record says. Details are added to those that are there. */
  note(facts: ChangeFacts): void;
  /** The record as it is known now, for the transaction of the change. */
  append(): AuditAppend;
  /** A record of what else had to be changed, for its own transaction. */
  alsoAppend(action: string, facts: ChangeFacts): AuditAppend;
}

/** Words the record of a change that a store has made, before it is committed. */
export type RecordChange<Result = void> = (result: Result) => AuditAppend;
