import type { ServerKey } from '../key/key-digest.ts';
import type { AuditStore } from '../port/audit-store.ts';
import { genesisHash, hashEntry } from './audit-chain.ts';
import type { AuditEntry } from './audit-entry.ts';
import { type AuditHead, createAuditSealer, type SealedAuditHead } from './audit-seal.ts';

export interface AuditFinding {
  readonly kind: /** The entry does not have its hash any more. */
    | 'changed'
    /** One or more entries before this one are not there. */
    | 'removed'
    /** The entry does not follow the one before it: it was inserted, moved, or written anew. */
    | 'unchained'
    /** The log ends before its sealed head. */
    | 'truncated'
    /** Entries behind the sealed head. */
    | 'unsealed'
    /** The head is not what its seal was made for, or is missing. */
    | 'head_invalid'
    /** A past write found a damaged end of the log, and went on from there. */
    | 'resealed_damaged'
    /** The log does not have the head that was noted elsewhere. */
    | 'anchor_missing';
  /** Where: of the entry, or the first one that is not there. */
  readonly sequence: number;
  readonly message: string;
}

export interface AuditVerification {
  /** Nothing found. */
  readonly intact: boolean;
  /** How many entries were read. */
  readonly entries: number;
  /** In order of sequence, the first hundred. */
  readonly findings: readonly AuditFinding[];
  /** Worth knowing, and expected: where the server key was replaced. */
  readonly remarks: readonly string[];
  /** Note it elsewhere, and give it as `anchor` later: it proves that the log was not set back. */
  readonly head: AuditHead;
}

const maxFindings = 100;
const pageEntries = 1_000;

/**
 * Reads the whole log up to its head. Finds entries that were changed, removed (also from the end),
 * moved or inserted. A log that was set back as a whole, head and all, is found with `anchor` only;
 * whoever has the server key can write any log.
 */
export async function verifyAudit(
  store: AuditStore,
  options: { readonly serverKey: ServerKey; readonly anchor?: AuditHead },
): Promise<AuditVerification> {
  const { anchor } = options;
  const findings: AuditFinding[] = [];
  const remarks: string[] = [];
  const find = (kind: AuditFinding['kind'], sequence: number, message: string): void => {
    if (findings.length < maxFindings) findings.push({ kind, sequence, message });
  };

  const head = await store.head();
  checkHead(head, options.serverKey, find, remarks);
  let previous: AuditHead = { sequence: 0, hash: genesisHash };
  let anchorSeen = anchor === undefined || anchor.sequence === 0;
  let entries = 0;
  const end = head?.sequence ?? Number.MAX_SAFE_INTEGER;
  for (;;) {
    const page = await store.read(previous.sequence, pageEntries);
    const due = page.filter(({ sequence }) => sequence <= end);
    for (const entry of due) {
      entries += 1;
      checkEntry(entry, previous, find);
      noteReseal(entry, find, remarks);
      if (entry.sequence === anchor?.sequence && entry.hash === anchor.hash) anchorSeen = true;
      previous = entry;
    }
    if (due.length < pageEntries) break;
  }
  await checkEnd(store, head, previous, find);
  if (!anchorSeen && anchor !== undefined) {
    find('anchor_missing', anchor.sequence, 'The log does not have the head that was noted');
  }
  return {
    intact: findings.length === 0,
    entries,
    findings,
    remarks,
    head: { sequence: previous.sequence, hash: previous.hash },
  };
}

type Find = (kind: AuditFinding['kind'], sequence: number, message: string) => void;

function checkHead(
  head: SealedAuditHead | null,
  serverKey: ServerKey,
  find: Find,
  remarks: string[],
): void {
  if (head === null) {
    find('head_invalid', 0, 'The sealed head of the log was removed');
    return;
  }
  const state = createAuditSealer(serverKey).check(head);
  if (state === 'invalid') {
    find('head_invalid', head.sequence, 'The head of the log is not the one that was sealed');
  }
  if (state === 'other_key') {
    remarks.push(
      `The head is sealed under server key ${head.serverKeyVersion}, and the current one is ${serverKey.version}: removals from the end cannot be told`,
    );
  }
}

function checkEntry(entry: AuditEntry, previous: AuditHead, find: Find): void {
  const gap = entry.sequence - previous.sequence - 1;
  if (gap > 0) {
    const first = previous.sequence + 1;
    const what = gap === 1 ? `Entry ${first} is` : `Entries ${first} to ${first + gap - 1} are`;
    find('removed', first, `${what} not there`);
  }
  if (hashEntry(entry) !== entry.hash) {
    find('changed', entry.sequence, `Entry ${entry.sequence} was changed`);
  } else if (gap === 0 && entry.previousHash !== previous.hash) {
    find(
      'unchained',
      entry.sequence,
      `Entry ${entry.sequence} does not follow the one before it: one of them was inserted, moved or written anew`,
    );
  }
}

function noteReseal(entry: AuditEntry, find: Find, remarks: string[]): void {
  if (entry.action !== 'audit.resealed') return;
  if (entry.details.reason === 'server_key_replaced') {
    remarks.push(
      `The server key was replaced before entry ${entry.sequence}: whether entries were removed from the end of the log just then cannot be told`,
    );
    return;
  }
  find(
    'resealed_damaged',
    entry.sequence,
    `When entry ${entry.sequence} was written, the end of the log before it was damaged`,
  );
}

async function checkEnd(
  store: AuditStore,
  head: SealedAuditHead | null,
  last: AuditHead,
  find: Find,
): Promise<void> {
  if (head === null) return;
  if (last.sequence < head.sequence) {
    const first = last.sequence + 1;
    find('truncated', first, `Entries ${first} to ${head.sequence} were removed from the end`);
    return;
  }
  if (last.hash !== head.hash) {
    find('unchained', head.sequence, `Entry ${head.sequence} is not the one that was sealed`);
  }
  const [behind] = await store.read(head.sequence, 1);
  // The log of a running server grows while it is read, and its head with it.
  const grown = (await store.head())?.sequence ?? 0;
  if (behind !== undefined && grown === head.sequence) {
    find('unsealed', behind.sequence, `Entry ${behind.sequence} is behind the sealed head`);
  }
}
