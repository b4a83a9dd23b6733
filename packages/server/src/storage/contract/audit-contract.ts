import { type AuditEntry, verifyAudit } from '@sandgate/core';
import { describe, expect, it } from 'vitest';
import type { StoresUnderTest } from '../storage-contract.ts';
import { auditLogOver, sampleServerKey as serverKey } from './sample-records.ts';

export function describeAudit(stores: StoresUnderTest): void {
  describe('audit', () => {
    const write = (details: AuditEntry['details'] = {}) =>
      auditLogOver(stores.storage).record({
        actor: { kind: 'key', keyNumber: 12 },
        action: 'key.update',
        target: 'key:13',
        workspaceId: 'abc',
        address: '2001:db8::1',
        requestId: 'request 1',
        details,
      });

    it('gives an entry back as it was hashed, on every connection', async () => {
      const details = { z: 'grüße\n"鍵"', a: 0.1, yes: true, none: null, Ä: '\u2028', __proto: -5 };
      await write(details);
      const [entry] = await stores.other.audit.read(0, 9);
      expect(entry).toMatchObject({
        sequence: 1,
        atMs: 1_800_000_000_000,
        actor: { kind: 'key', keyNumber: 12 },
        action: 'key.update',
        target: 'key:13',
        outcome: 'done',
        workspaceId: 'abc',
        address: '2001:db8::1',
        requestId: 'request 1',
        previousHash: '0'.repeat(64),
      });
      expect(entry?.details).toEqual(details);
      expect(await verifyAudit(stores.other.audit, { serverKey })).toMatchObject({
        intact: true,
        entries: 1,
      });
    });

    it('chains what several connections append', async () => {
      const logs = [auditLogOver(stores.storage), auditLogOver(stores.other)];
      await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          logs[index % 2]?.recordAll([
            { actor: { kind: 'operator' }, action: 'key.issue', target: `key:${index}` },
            { actor: { kind: 'stranger' }, action: 'access.refused', outcome: 'refused' },
          ]),
        ),
      );
      expect(await verifyAudit(stores.storage.audit, { serverKey })).toMatchObject({
        intact: true,
        entries: 80,
      });
    });

    it('stores nothing of an append that fails', async () => {
      await write();
      const broken = stores.storage.audit.append(
        () => {
          throw new Error('not today');
        },
        { durable: true },
      );
      await expect(broken).rejects.toThrow('not today');
      expect(await stores.other.audit.head()).toMatchObject({ sequence: 1, serverKeyVersion: 1 });
    });

    it('lists newest first, in pages, by what is asked for', async () => {
      const log = auditLogOver(stores.storage);
      for (let index = 1; index <= 6; index += 1) {
        await log.record({
          actor: index % 2 === 0 ? { kind: 'key', keyNumber: index } : { kind: 'operator' },
          action: index < 4 ? 'key.issue' : 'key.revoke',
          outcome: index === 5 ? 'failed' : 'done',
          workspaceId: index === 3 ? null : `workspace ${index % 2}`,
          atMs: index * 10,
        });
      }
      const { audit } = stores.other;
      const listed = async (filter: Parameters<typeof audit.list>[0]) =>
        (await audit.list(filter, { limit: 9 })).entries.map(({ sequence }) => sequence);
      expect(await listed({})).toEqual([6, 5, 4, 3, 2, 1]);
      expect(await listed({ workspaceId: 'workspace 1' })).toEqual([5, 1]);
      expect(await listed({ action: 'key.issue' })).toEqual([3, 2, 1]);
      expect(await listed({ keyNumber: 4 })).toEqual([4]);
      expect(await listed({ outcome: 'failed' })).toEqual([5]);
      expect(await listed({ fromMs: 20, toMs: 40 })).toEqual([3, 2]);

      const first = await audit.list({}, { limit: 4 });
      expect(first.nextBeforeSequence).toBe(3);
      const second = await audit.list({}, { limit: 4, beforeSequence: 3 });
      expect(second.entries.map(({ sequence }) => sequence)).toEqual([2, 1]);
      expect(second.nextBeforeSequence).toBeNull();
    });
  });
}
