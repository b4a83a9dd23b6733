import { createHash } from 'node:crypto';
import type { AuditEntry, NewAuditEntry } from './audit-entry.ts';
import type { AuditSealer, SealedAuditHead } from './audit-seal.ts';

/** The `previousHash` of the first entry. */
export const genesisHash = '0'.repeat(64);

type Json = string | number | boolean | null | { readonly [key: string]: Json };

/** JSON with sorted keys and no space, so that equal values have equal texts. */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.entries(value)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/** SHA-256, in hex, of the hash before an entry, a line feed, and the entry's canonical JSON. */
export function hashEntry(entry: Omit<AuditEntry, 'hash'>): string {
  const { sequence, atMs, actor, action, target, outcome } = entry;
  const { workspaceId, address, requestId, details, previousHash } = entry;
  const text = canonicalJson({
    sequence,
    atMs,
    actor: { ...actor },
    action,
    target,
    outcome,
    workspaceId,
    address,
    requestId,
    details,
  });
  return createHash('sha256').update(`${previousHash}\n${text}`).digest('hex');
}

/** How the stored log ends: what its head says, and what its last entry is. */
export interface AuditTail {
  /** Null when it was removed. */
  readonly head: SealedAuditHead | null;
  /** Null when there is no entry. */
  readonly last: { readonly sequence: number; readonly hash: string } | null;
}

export interface AuditExtension {
  readonly entries: readonly AuditEntry[];
  readonly head: SealedAuditHead;
}

/**
 * Makes of the end of the log what comes after it. Called once, inside the transaction that stores
 * the extension, so that it may not wait for anything.
 */
export type AuditAppend = (tail: AuditTail) => AuditExtension;

/**
 * Chains new entries to the end of the log. They follow the sealed head and not the last entry
 * that is there: entries removed from the end leave a gap that stays. A head whose seal cannot be
 * confirmed is not sealed anew in silence: an entry `audit.resealed` comes first and says why.
 */
export function extendChain(
  tail: AuditTail,
  entries: readonly NewAuditEntry[],
  sealer: AuditSealer,
): AuditExtension {
  const problem = tailProblem(tail, sealer);
  const reseal: readonly NewAuditEntry[] =
    problem === null
      ? []
      : [
          {
            atMs: entries[0]?.atMs ?? 0,
            actor: { kind: 'server' },
            action: 'audit.resealed',
            target: null,
            outcome: 'done',
            workspaceId: null,
            address: null,
            requestId: null,
            details: {
              reason: problem,
              headSequence: tail.head?.sequence ?? null,
              lastSequence: tail.last?.sequence ?? null,
            },
          },
        ];
  const headSequence = tail.head?.sequence ?? 0;
  const followsHead = headSequence >= (tail.last?.sequence ?? 0);
  let end = followsHead ? tail.head : tail.last;
  const chained = [...reseal, ...entries].map((entry) => {
    const linked = {
      ...entry,
      sequence: (end?.sequence ?? 0) + 1,
      previousHash: end?.hash ?? genesisHash,
    };
    const complete = { ...linked, hash: hashEntry(linked) };
    end = complete;
    return complete;
  });
  const { sequence, hash } = end ?? { sequence: 0, hash: genesisHash };
  return { entries: chained, head: sealer.seal({ sequence, hash }) };
}

export type ResealReason =
  /** The head is sealed under another server key: expected after a reset, and only then. */
  | 'server_key_replaced'
  /** The head was removed, changed or forged. */
  | 'seal_invalid'
  /** Entries were put behind the head, or the last one was changed. */
  | 'head_mismatch';

function tailProblem({ head, last }: AuditTail, sealer: AuditSealer): ResealReason | null {
  if (head === null) return 'seal_invalid';
  const state = sealer.check(head);
  if (state === 'invalid') return 'seal_invalid';
  const beyond = (last?.sequence ?? 0) > head.sequence;
  const changed = last !== null && last.sequence === head.sequence && last.hash !== head.hash;
  if (beyond || changed) return 'head_mismatch';
  return state === 'other_key' ? 'server_key_replaced' : null;
}
