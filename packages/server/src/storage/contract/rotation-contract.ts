import type { ApiKey } from '@sandgate/core';
import { beforeEach, describe, expect, it } from 'vitest';
import type { StoresUnderTest } from '../storage-contract.ts';
import { sampleDigest, sampleId, sampleSecret, storeKey } from './sample-records.ts';
import { sampleUsage } from './usage-contract.ts';

export function describeRotation(stores: StoresUnderTest): void {
  describe('keys.rotate', () => {
    let key: ApiKey;

    beforeEach(async () => {
      await stores.storage.serverKeys.replace('server key', 1);
      key = await storeKey(stores.storage, 1, 'first');
      await storeKey(stores.storage, 2, 'of another key');
    });

    const rotate = async (
      label: string,
      options: { revision: number; overlapUntilMs?: number; atMs?: number },
      storage = stores.storage,
    ): Promise<boolean> =>
      await storage.keys.rotate(
        key.id,
        sampleSecret(key.id, label, { createdAtMs: options.atMs ?? 100 }),
        {
          lastFour: label.slice(-4),
          overlapUntilMs: options.overlapUntilMs ?? null,
          expectedRevision: options.revision,
        },
      );
    const endOf = async (label: string): Promise<number | null | undefined> =>
      (await stores.other.keys.findByDigest(sampleDigest(label)))?.secret.validUntilMs;

    it('without an overlap, the new text is the only one', async () => {
      expect(await rotate('second', { revision: 1 })).toBe(true);
      expect(await endOf('first')).toBeUndefined();
      expect(await stores.other.keys.findByDigest(sampleDigest('second'))).toMatchObject({
        key: { ...key, revision: 2, lastFour: 'cond' },
        secret: { createdAtMs: 100, validUntilMs: null },
      });
      expect(await endOf('of another key')).toBeNull();
    });

    it('with an overlap, the old text stays until its end', async () => {
      expect(await rotate('second', { revision: 1, overlapUntilMs: 900 })).toBe(true);
      expect(await endOf('first')).toBe(900);
      expect(await endOf('second')).toBeNull();
      expect(await endOf('of another key')).toBeNull();
    });

    it('a later rotation shortens an overlap and never lengthens one', async () => {
      await rotate('second', { revision: 1, overlapUntilMs: 900 });
      await rotate('third', { revision: 2, overlapUntilMs: 2000 });
      expect([await endOf('first'), await endOf('second')]).toEqual([900, 2000]);
      await rotate('fourth', { revision: 3, overlapUntilMs: 500 });
      expect([await endOf('first'), await endOf('second'), await endOf('third')]).toEqual([
        500, 500, 500,
      ]);
      await rotate('fifth', { revision: 4 });
      expect([await endOf('first'), await endOf('fourth')]).toEqual([undefined, undefined]);
      expect(await endOf('fifth')).toBeNull();
    });

    it('forgets texts whose overlap has ended', async () => {
      await rotate('second', { revision: 1, overlapUntilMs: 900 });
      expect(await rotate('third', { revision: 2, overlapUntilMs: 2000, atMs: 900 })).toBe(true);
      expect(await endOf('first')).toBeUndefined();
      expect(await endOf('second')).toBe(2000);
    });

    it('lets one of two rotations at once win, and leaves no trace of the other', async () => {
      const [first, second] = await Promise.all([
        rotate('by one', { revision: 1 }),
        rotate('by other', { revision: 1 }, stores.other),
      ]);
      expect([first, second].toSorted()).toEqual([false, true]);
      const [winner, loser] = first ? ['by one', 'by other'] : ['by other', 'by one'];
      expect(await endOf(winner ?? '')).toBeNull();
      expect(await endOf(loser ?? '')).toBeUndefined();
      expect(await stores.storage.keys.findById(key.id)).toMatchObject({
        revision: 2,
        lastFour: winner?.slice(-4),
      });
    });

    it('refuses a rotation that was decided before another change', async () => {
      await stores.other.keys.setEnabled(key.id, false);
      expect(await rotate('second', { revision: 1 })).toBe(false);
      expect(await endOf('first')).toBeNull();
    });

    it('goes through although the key was used meanwhile', async () => {
      await stores.other.usage.write({
        begun: [sampleUsage({ keyNumber: key.number })],
        ended: [],
      });
      while (await stores.other.usage.rollUp(10));
      expect(await rotate('second', { revision: 1 })).toBe(true);
      expect(await stores.other.keys.findById(key.id)).toMatchObject({ usageCount: 1 });
    });

    it('leaves nothing of a key behind when it is revoked at the same time', async () => {
      await Promise.all([
        rotate('second', { revision: 1, overlapUntilMs: 900 }),
        stores.other.keys.revoke(key.id, 100),
      ]);
      expect([await endOf('first'), await endOf('second')]).toEqual([undefined, undefined]);
    });

    it('answers false for a key that is not there', async () => {
      const rotation = { lastFour: 'ffff', overlapUntilMs: null, expectedRevision: 1 };
      const secret = sampleSecret(sampleId(9), 'nobody');
      expect(await stores.storage.keys.rotate(sampleId(9), secret, rotation)).toBe(false);
    });
  });
}
