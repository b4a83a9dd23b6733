import type { ServerKey } from '../key/key-digest.ts';
import { withoutKeys } from '../key/key-text.ts';
import type { AuditStore } from '../port/audit-store.ts';
import type { Clock } from '../port/clock.ts';
import { type AuditAppend, extendChain } from './audit-chain.ts';
import type { AuditActor, AuditEntry, NewAuditEntry } from './audit-entry.ts';
import { createAuditSealer } from './audit-seal.ts';

/** Who does something, and by which request. */
export interface AuditContext {
  readonly actor: AuditActor;
  readonly address?: string | null;
  readonly requestId?: string | null;
}

/** What is to be recorded; `outcome` is `done` unless it says otherwise. */
export interface AuditRecord extends AuditContext {
  /** As in `key.revoke`. */
  readonly action: string;
  /** As in `key:12`. */
  readonly target?: string | null;
  readonly outcome?: AuditEntry['outcome'];
  readonly workspaceId?: string | null;
  readonly details?: AuditEntry['details'];
  /** Now, unless it is told later than it happened. */
  readonly atMs?: number;
}

export interface AuditLog {
  /**
   * Resolves when the record is committed.
   * @throws SandgateError `storage_unavailable`
   */
  record(record: AuditRecord): Promise<void>;
  /** Several in one transaction, in order. */
  recordAll(records: readonly AuditRecord[]): Promise<void>;
  /** Of records that a store commits together with what they are about. */
  append(records: readonly AuditRecord[]): AuditAppend;
}

export interface AuditLogDependencies {
  readonly audit: AuditStore;
  readonly clock: Clock;
  readonly serverKey: () => ServerKey;
}

export function createAuditLog({ audit, clock, serverKey }: AuditLogDependencies): AuditLog {
  const append: AuditLog['append'] = (records) => {
    const entries = records.map((record) => toEntry(record, clock.nowMs()));
    const sealer = createAuditSealer(serverKey());
    return (tail) => extendChain(tail, entries, sealer);
  };
  const recordAll = async (records: readonly AuditRecord[]): Promise<void> => {
    if (records.length === 0) return;
    await audit.append(append(records), {
      // Refusals come in floods, and changed nothing. What a sandbox or a tool did does not wait for
      // the disk either, and a power failure ends what it tells of.
      durable: records.some(
        ({ outcome, action }) => outcome !== 'refused' && !/^(sandbox\.|mcp\.call$)/.test(action),
      ),
    });
  };
  return { recordAll, record: (record) => recordAll([record]), append };
}

const maxTextCharacters = 300;
const maxDetails = 20;

function toEntry(record: AuditRecord, nowMs: number): NewAuditEntry {
  const details = Object.entries(record.details ?? {}).slice(0, maxDetails);
  return {
    atMs: record.atMs ?? nowMs,
    actor: record.actor,
    action: record.action,
    target: boundedOrNull(record.target),
    outcome: record.outcome ?? 'done',
    workspaceId: record.workspaceId ?? null,
    address: boundedOrNull(record.address),
    requestId: boundedOrNull(record.requestId),
    details: Object.fromEntries(
      details.map(([name, value]) => [
        bounded(name),
        typeof value === 'string' ? bounded(value) : value,
      ]),
    ),
  };
}

const boundedOrNull = (text: string | null | undefined): string | null =>
  text === null || text === undefined ? null : bounded(text);

/**
 * Without keys, which are whole before it is cut. Short, so that a request cannot fill the disk, and of whole characters that every store gives
 * back as they were, so that the hash still fits.
 */
const bounded = (text: string): string =>
  withoutKeys(text).slice(0, maxTextCharacters).toWellFormed().replaceAll('\0', '\ufffd');
