import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuditStore } from '../port/audit-store.ts';
import type { AuditTail } from './audit-chain.ts';
import { hashEntry } from './audit-chain.ts';
import type { AuditEntry } from './audit-entry.ts';
import { createAuditLog } from './audit-log.ts';
import type { SealedAuditHead } from './audit-seal.ts';
import { verifyAudit } from './verify-audit.ts';

const serverKey = { version: 1, secret: new Uint8Array(32).fill(7) };
const clock = { nowMs: () => 1_800_000_000_000 };

/** A store whose rows a test changes behind the log's back. */
class OpenStore implements Pick<AuditStore, 'append' | 'read' | 'head'> {
  entries: AuditEntry[] = [];
  sealed: SealedAuditHead | null = {
    sequence: 0,
    hash: '0'.repeat(64),
    serverKeyVersion: null,
    seal: null,
  };

  async append(extend: Parameters<AuditStore['append']>[0]): Promise<void> {
    const last = this.entries.at(-1) ?? null;
    const tail: AuditTail = { head: this.sealed, last };
    const { entries, head } = extend(tail);
    this.entries.push(...entries);
    this.sealed = head;
  }

  async read(after: number, limit: number): Promise<readonly AuditEntry[]> {
    return this.entries
      .filter(({ sequence }) => sequence > after)
      .toSorted((left, right) => left.sequence - right.sequence)
      .slice(0, limit);
  }

  async head(): Promise<SealedAuditHead | null> {
    return this.sealed;
  }

  list(): never {
    throw new Error('not part of these tests');
  }
}

async function write(store: OpenStore, count: number, key = serverKey): Promise<void> {
  const log = createAuditLog({ audit: store, clock, serverKey: () => key });
  for (let index = 0; index < count; index += 1) {
    await log.record({
      actor: index % 2 === 0 ? { kind: 'operator' } : { kind: 'key', keyNumber: index },
      action: 'key.update',
      target: `key:${index}`,
      workspaceId: 'abc',
      address: '192.0.2.1',
      requestId: `request ${index}`,
      details: { index, changed: 'name', ok: true, nothing: null },
    });
  }
}

const storeOf = async (count: number): Promise<OpenStore> => {
  const store = new OpenStore();
  await write(store, count);
  return store;
};

const kinds = async (store: OpenStore, options = {}): Promise<string[]> =>
  (await verifyAudit(store, { serverKey, ...options })).findings.map(
    ({ kind, sequence }) => `${kind} ${sequence}`,
  );

const entryAt = (store: OpenStore, sequence: number): AuditEntry => {
  const entry = store.entries[sequence - 1];
  if (entry === undefined) throw new Error(`no entry ${sequence}`);
  return entry;
};

describe('verifyAudit', () => {
  it('finds nothing in an empty log and in one that was only written', async () => {
    expect(await verifyAudit(new OpenStore(), { serverKey })).toMatchObject({
      intact: true,
      entries: 0,
    });
    const store = await storeOf(1_203);
    expect(await verifyAudit(store, { serverKey })).toMatchObject({
      intact: true,
      entries: 1_203,
      head: { sequence: 1_203, hash: store.sealed?.hash },
      remarks: [],
    });
  });

  it('names the sequence of a changed, removed, cut, inserted and swapped entry', async () => {
    const changed = await storeOf(6);
    changed.entries[2] = { ...entryAt(changed, 3), action: 'key.show' };
    expect(await kinds(changed)).toEqual(['changed 3']);

    const removed = await storeOf(6);
    removed.entries.splice(2, 2);
    expect(await kinds(removed)).toEqual(['removed 3']);

    const cut = await storeOf(6);
    cut.entries.splice(4);
    expect(await kinds(cut)).toEqual(['truncated 5']);

    const added = await storeOf(6);
    const forged = { ...entryAt(added, 6), sequence: 7, previousHash: entryAt(added, 6).hash };
    added.entries.push({ ...forged, hash: hashEntry(forged) });
    expect(await kinds(added)).toEqual(['unsealed 7']);

    const swapped = await storeOf(6);
    const [third, fourth] = [entryAt(swapped, 3), entryAt(swapped, 4)];
    swapped.entries[2] = { ...fourth, sequence: 3 };
    swapped.entries[3] = { ...third, sequence: 4 };
    expect(await kinds(swapped)).toEqual(['changed 3', 'changed 4', 'unchained 5']);
  });

  it('finds an entry written anew with a hash that fits, at the one after it or at the head', async () => {
    for (const [sequence, finding] of [
      [3, 'unchained 4'],
      [6, 'unchained 6'],
    ] as const) {
      const store = await storeOf(6);
      const forged = { ...entryAt(store, sequence), action: 'key.show' };
      store.entries[sequence - 1] = { ...forged, hash: hashEntry(forged) };
      expect(await kinds(store)).toEqual([finding]);
    }
  });

  it('finds a whole chain written anew, because its head cannot be sealed', async () => {
    const store = await storeOf(6);
    const other = new OpenStore();
    await write(other, 5, { version: 1, secret: new Uint8Array(32).fill(8) });
    store.entries = other.entries;
    store.sealed = other.sealed;
    expect(await kinds(store)).toEqual(['head_invalid 5']);
  });

  it('keeps the mark of a cut that later entries were written behind', async () => {
    const store = await storeOf(6);
    store.entries.splice(3);
    await write(store, 2);
    expect(await kinds(store)).toEqual(['removed 4']);
    expect(store.entries.at(-1)?.sequence).toBe(8);
  });

  it('keeps the mark of a head that was set back together with the entries, or removed', async () => {
    const forgedHead = await storeOf(6);
    forgedHead.entries.splice(3);
    const { sequence, hash } = entryAt(forgedHead, 3);
    forgedHead.sealed = { sequence, hash, serverKeyVersion: 1, seal: '0'.repeat(64) };
    expect(await kinds(forgedHead)).toEqual(['head_invalid 3']);
    await write(forgedHead, 2);
    expect(await kinds(forgedHead)).toEqual(['resealed_damaged 4']);

    const noHead = await storeOf(3);
    noHead.sealed = null;
    expect(await kinds(noHead)).toEqual(['head_invalid 0']);
    await write(noHead, 1);
    expect(await kinds(noHead)).toEqual(['resealed_damaged 4']);
  });

  it('remarks on a replaced server key, and goes on under the new one', async () => {
    const store = await storeOf(3);
    const newKey = { version: 2, secret: new Uint8Array(32).fill(9) };
    const before = await verifyAudit(store, { serverKey: newKey });
    expect(before).toMatchObject({
      intact: true,
      remarks: [expect.stringContaining('server key')],
    });
    await write(store, 1, newKey);
    const after = await verifyAudit(store, { serverKey: newKey });
    expect(after).toMatchObject({ intact: true, entries: 5 });
    expect(after.remarks).toHaveLength(1);
  });

  it('finds a log that was set back, head and all, by the head that was noted elsewhere', async () => {
    const store = await storeOf(4);
    const [entries, sealed] = [[...store.entries], store.sealed];
    await write(store, 3);
    const anchor = (await verifyAudit(store, { serverKey })).head;
    expect(await kinds(store, { anchor })).toEqual([]);
    store.entries = entries;
    store.sealed = sealed;
    expect(await kinds(store)).toEqual([]);
    expect(await kinds(store, { anchor })).toEqual(['anchor_missing 7']);
  });

  const text = fc.string({ maxLength: 12 });
  const mutation = fc.oneof(
    fc.record({
      what: fc.constant('field' as const),
      field: fc.constantFrom(
        'atMs',
        'actor',
        'action',
        'target',
        'outcome',
        'workspaceId',
        'address',
        'requestId',
        'details',
        'hash',
        'previousHash',
        'sequence',
      ),
      text,
      number: fc.integer({ min: 0, max: 40 }),
    }),
    fc.record({ what: fc.constantFrom('remove', 'swap', 'duplicate', 'cut') }),
  );

  it('finds every single mutation of what is stored', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 12 }),
        fc.nat(),
        fc.boolean(),
        mutation,
        async (count, position, rehash, change) => {
          const store = await storeOf(count);
          const index = position % count;
          const original = structuredClone(store.entries);
          const entry = entryAt(store, index + 1);
          if (change.what === 'remove') store.entries.splice(index, 1);
          else if (change.what === 'cut') store.entries.splice(index);
          else if (change.what === 'duplicate') {
            store.entries.push({ ...entry, sequence: count + 1 });
          } else if (change.what === 'swap') {
            const other = entryAt(store, ((index + 1) % count) + 1);
            store.entries[index] = { ...other, sequence: entry.sequence };
            store.entries[(index + 1) % count] = { ...entry, sequence: other.sequence };
          } else if ('field' in change) {
            const value: Record<string, unknown> = {
              atMs: change.number,
              sequence: change.number,
              actor: { kind: 'key', keyNumber: change.number + 1_000 },
              details: { ...entry.details, [change.text]: change.number },
            };
            const mutated = { ...entry, [change.field]: value[change.field] ?? change.text };
            store.entries[index] =
              rehash && change.field !== 'hash'
                ? { ...mutated, hash: hashEntry(mutated) }
                : mutated;
          }
          fc.pre(JSON.stringify(store.entries) !== JSON.stringify(original));
          expect((await verifyAudit(store, { serverKey })).intact).toBe(false);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('createAuditLog', () => {
  it('keeps texts short, and of characters that every store gives back', async () => {
    const store = new OpenStore();
    const log = createAuditLog({ audit: store, clock, serverKey: () => serverKey });
    await log.record({
      actor: { kind: 'stranger' },
      action: 'access.refused',
      target: `a\0b\ud800${'x'.repeat(5_000)}`,
      details: Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`d${index}`, index])),
    });
    const entry = entryAt(store, 1);
    expect(entry.target).toHaveLength(300);
    expect(entry.target?.slice(0, 4)).toBe('a\ufffdb\ufffd');
    expect(Object.keys(entry.details)).toHaveLength(20);
  });
});
