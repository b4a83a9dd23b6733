import type { OauthRecord } from '@sandgate/core';
import { describe, expect, it } from 'vitest';
import type { StoresUnderTest } from '../storage-contract.ts';

export function describeOauth(stores: StoresUnderTest): void {
  describe('records of OAuth', () => {
    const record = (id: string, changes: Partial<OauthRecord> = {}): OauthRecord => ({
      kind: 'RefreshToken',
      id,
      grantId: 'grant',
      userId: null,
      payload: '{"clientId":"some"}',
      expiresAtMs: 1_000,
      consumedAtMs: null,
      ...changes,
    });

    it('gives one back whole, by its kind and id, until it is removed', async () => {
      const { storage, other } = stores;
      await storage.oauth.put(record('one'));
      await storage.oauth.put(record('one', { kind: 'Grant', expiresAtMs: null }));
      expect(await other.oauth.find('RefreshToken', 'one')).toEqual(record('one'));
      await storage.oauth.put(record('one', { payload: '{}' }));
      expect(await other.oauth.find('RefreshToken', 'one')).toEqual(
        record('one', { payload: '{}' }),
      );
      expect(await other.oauth.count('RefreshToken', 0, 1_000)).toBe(1);
      await other.oauth.remove('RefreshToken', 'one');
      expect(await storage.oauth.find('RefreshToken', 'one')).toBeNull();
      expect(await storage.oauth.find('Grant', 'one')).not.toBeNull();
    });

    it('lets one be used once', async () => {
      const { storage, other } = stores;
      await storage.oauth.put(record('one'));
      expect(await storage.oauth.consume('RefreshToken', 'one', 500)).toBe(true);
      expect(await other.oauth.consume('RefreshToken', 'one', 600)).toBe(false);
      expect(await storage.oauth.consume('RefreshToken', 'other', 600)).toBe(false);
      expect(await storage.oauth.find('RefreshToken', 'one')).toMatchObject({ consumedAtMs: 500 });
    });

    it('removes what belongs to a grant, of one kind', async () => {
      const { storage } = stores;
      await storage.oauth.put(record('one'));
      await storage.oauth.put(record('code', { kind: 'AuthorizationCode' }));
      await storage.oauth.put(record('other', { grantId: 'other' }));
      await storage.oauth.removeOfGrant('RefreshToken', 'grant');
      expect(await storage.oauth.find('RefreshToken', 'one')).toBeNull();
      expect(await storage.oauth.find('AuthorizationCode', 'code')).not.toBeNull();
      expect(await storage.oauth.find('RefreshToken', 'other')).not.toBeNull();
    });

    it('prunes what has expired, so many at once', async () => {
      const { storage } = stores;
      await storage.oauth.put(record('one'));
      await storage.oauth.put(record('two'));
      await storage.oauth.put(record('kept'));
      await storage.oauth.put(record('endless', { expiresAtMs: null }));
      await storage.oauth.keepUntil('RefreshToken', 'kept', 2_000);
      expect(await storage.oauth.prune(1_001, 1)).toBe(true);
      expect(await storage.oauth.prune(1_001, 2)).toBe(false);
      expect(await storage.oauth.count('RefreshToken', 0, 1_000)).toBe(0);
      expect(await storage.oauth.count('RefreshToken', 1_000, 2_000)).toBe(1);
      expect(await storage.oauth.count('RefreshToken', 2_000, 3_000)).toBe(0);
      expect(await storage.oauth.find('RefreshToken', 'endless')).not.toBeNull();
      expect(await storage.oauth.find('RefreshToken', 'kept')).toMatchObject({
        expiresAtMs: 2_000,
      });
    });
  });
}
