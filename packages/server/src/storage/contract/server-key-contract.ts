import { beforeEach, describe, expect, it } from 'vitest';
import type { StoresUnderTest } from '../storage-contract.ts';
import { sampleDigest, sampleKey, sampleSecret, storeKey } from './sample-records.ts';

export function describeServerKeys(stores: StoresUnderTest): void {
  describe('serverKeys', () => {
    it('has none on a new server', async () => {
      expect(await stores.storage.serverKeys.current()).toBeNull();
    });

    it('numbers server keys from 1, and shows the newest to every connection', async () => {
      const first = await stores.storage.serverKeys.replace('first', 10);
      expect(first).toEqual({
        record: { version: 1, fingerprint: 'first', createdAtMs: 10 },
        revokedKeys: 0,
      });
      const second = await stores.other.serverKeys.replace('second', 20);
      expect(second.record).toEqual({ version: 2, fingerprint: 'second', createdAtMs: 20 });
      expect(await stores.storage.serverKeys.current()).toEqual(second.record);
    });

    it('agrees on one version when two processes announce the same server key at once', async () => {
      const answers = await Promise.all([
        stores.storage.serverKeys.replace('same', 10),
        stores.other.serverKeys.replace('same', 11),
      ]);
      expect(answers.map(({ record }) => record.version)).toEqual([1, 1]);
      expect(answers[0].record).toEqual(answers[1].record);
    });

    it('takes an earlier server key back as a new version', async () => {
      await stores.storage.serverKeys.replace('first', 10);
      await stores.storage.serverKeys.replace('second', 20);
      const { record } = await stores.storage.serverKeys.replace('first', 30);
      expect(record).toEqual({ version: 3, fingerprint: 'first', createdAtMs: 30 });
    });

    describe('replace, with keys stored', () => {
      beforeEach(async () => {
        await stores.storage.serverKeys.replace('first', 10);
        await storeKey(stores.storage, 1);
        await storeKey(stores.storage, 2);
        await storeKey(stores.storage, 3);
        await stores.storage.keys.revoke(sampleKey(3).id, 15);
      });

      it('revokes every living key, counts them, and takes their secrets', async () => {
        const { revokedKeys } = await stores.other.serverKeys.replace('second', 20);
        expect(revokedKeys).toBe(2);
        expect(await stores.storage.keys.countLive()).toBe(0);
        expect(await stores.storage.keys.findByDigest(sampleDigest('secret 1'))).toBeNull();
        const keys = await stores.storage.keys.list({ includeRevoked: true });
        expect(keys.map(({ revokedAtMs, revision }) => [revokedAtMs, revision])).toEqual([
          [20, 2],
          [20, 2],
          [15, 2],
        ]);
      });

      it('changes nothing when that server key is the current one', async () => {
        const { revokedKeys } = await stores.storage.serverKeys.replace('first', 20);
        expect(revokedKeys).toBe(0);
        expect(await stores.storage.keys.countLive()).toBe(2);
      });

      it('leaves no way to store or rotate a key made under the old one', async () => {
        await stores.other.serverKeys.replace('second', 20);
        const mismatch = { code: 'server_key_mismatch' };
        await expect(storeKey(stores.storage, 4)).rejects.toMatchObject(mismatch);
        expect(await stores.storage.keys.findById(sampleKey(4).id)).toBeNull();

        const key = await stores.storage.keys.insert(
          sampleKey(5),
          sampleSecret(sampleKey(5).id, 'new', { serverKeyVersion: 2 }),
        );
        const rotation = { lastFour: 'ffff', overlapUntilMs: null, expectedRevision: 1 };
        await expect(
          stores.storage.keys.rotate(key.id, sampleSecret(key.id, 'stale'), rotation),
        ).rejects.toMatchObject(mismatch);
        expect(await stores.storage.keys.findById(key.id)).toEqual(key);
        expect(await stores.storage.keys.findByDigest(sampleDigest('new'))).not.toBeNull();
      });
    });
  });
}
