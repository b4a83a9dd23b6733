import type { SigningKeyRecord } from '@sandgate/core';
import { beforeEach, describe, expect, it } from 'vitest';
import type { StoresUnderTest } from '../storage-contract.ts';

export function describeSigningKeys(stores: StoresUnderTest): void {
  describe('signing keys', () => {
    const key = (id: string, changes: Partial<SigningKeyRecord> = {}): SigningKeyRecord => ({
      id,
      publicKey: '{"kty":"OKP"}',
      sealedPrivateKey: new Uint8Array([1, 2, 3]),
      serverKeyVersion: 1,
      createdAtMs: 1_000,
      ...changes,
    });
    const ids = async () => (await stores.other.signingKeys.list()).map(({ id }) => id);

    beforeEach(async () => {
      await stores.storage.serverKeys.replace('first', 1);
      await stores.storage.serverKeys.replace('second', 2);
    });

    it('gives them back whole, newest first', async () => {
      await stores.storage.signingKeys.insert(key('old'), 0);
      await stores.storage.signingKeys.insert(key('new', { createdAtMs: 2_000 }), 1_500);
      expect(await ids()).toEqual(['new', 'old']);
      expect((await stores.other.signingKeys.list())[1]).toEqual(key('old'));
    });

    it('keeps one of two that are made at once', async () => {
      await stores.storage.signingKeys.insert(key('one'), 0);
      await stores.other.signingKeys.insert(key('other', { createdAtMs: 1_001 }), 0);
      expect(await ids()).toEqual(['one']);
      await stores.other.signingKeys.insert(key('third', { serverKeyVersion: 2 }), 0);
      expect((await ids()).toSorted()).toEqual(['one', 'third']);
    });

    it('removes those of other server keys, and the old ones', async () => {
      await stores.storage.signingKeys.insert(key('other server key'), 0);
      await stores.storage.signingKeys.insert(key('old', { serverKeyVersion: 2 }), 0);
      const now = { serverKeyVersion: 2, createdAtMs: 5_000 };
      await stores.storage.signingKeys.insert(key('new', now), 4_000);
      await stores.storage.signingKeys.prune(2, 1_001);
      expect(await ids()).toEqual(['new']);
    });
  });
}
