import { type KeyQuery, keyState } from '@sandgate/core';
import { beforeEach, describe, expect, it } from 'vitest';
import type { StoresUnderTest } from '../storage-contract.ts';
import { sampleDigest, sampleId, sampleWorkspace, storeKey } from './sample-records.ts';

export function describeKeyQueries(stores: StoresUnderTest): void {
  describe('keys.page and keys.count', () => {
    beforeEach(async () => {
      const { storage } = stores;
      await storage.serverKeys.replace('server key', 1);
      await storage.workspaces.insertIfAbsent(sampleWorkspace(1));
      const workspaceId = sampleWorkspace(1).id;
      await storeKey(storage, 1, '1', { name: 'Build 50%', workspaceId });
      await storeKey(storage, 2, '2', { name: 'deploy', description: 'for the BUILD server' });
      await storeKey(storage, 3, '3', { expiresAtMs: 100, workspaceId, parentNumber: 1 });
      await storeKey(storage, 4, '4', { enabled: false, expiresAtMs: 101, workspaceId });
      await storeKey(storage, 5, '5', { workspaceId, parentNumber: 1 });
      await storage.keys.revoke(sampleId(5), 50);
    });

    const found = async (query: Partial<KeyQuery>): Promise<readonly number[]> => {
      const whole = { nowMs: 100, ...query };
      const { keys, total } = await stores.other.keys.page(whole, { limit: 10 });
      expect(total).toBe(keys.length);
      expect(await stores.other.keys.count(whole)).toBe(total);
      return keys.map(({ number }) => number);
    };

    it('find keys by state, each in one state alone', async () => {
      expect(await found({})).toEqual([1, 2, 3, 4]);
      expect(await found({ state: 'active' })).toEqual([1, 2]);
      expect(await found({ state: 'expired' })).toEqual([3]);
      expect(await found({ state: 'expired', nowMs: 101 })).toEqual([3, 4]);
      expect(await found({ state: 'disabled' })).toEqual([4]);
      expect(await found({ state: 'revoked' })).toEqual([5]);
    });

    it('find keys by workspace and parent', async () => {
      expect(await found({ workspaceId: sampleWorkspace(1).id })).toEqual([1, 3, 4]);
      expect(await found({ workspaceId: null })).toEqual([2]);
      expect(await found({ parentNumber: 1 })).toEqual([3]);
      expect(await found({ workspaceId: null, parentNumber: 1 })).toEqual([]);
    });

    it('find what a name or description contains, wildcards included', async () => {
      expect(await found({ search: 'build' })).toEqual([1, 2]);
      expect(await found({ search: '0%' })).toEqual([1]);
      expect(await found({ search: '%' })).toEqual([1]);
      expect(await found({ search: '_' })).toEqual([]);
      expect(await found({ search: "' or 1=1 --" })).toEqual([]);
    });

    it('count what is there after every change', async () => {
      const { keys } = stores.storage;
      const dayMs = 86_400_000;
      const expectAll = async (step: string) => {
        for (const nowMs of [0, 100, 110, dayMs - 1, dayMs, 3 * dayMs]) {
          const all = await stores.other.keys.list({ includeRevoked: true });
          for (const workspaceId of [undefined, null, sampleWorkspace(1).id]) {
            const inside = all.filter(
              (key) => workspaceId === undefined || key.workspaceId === workspaceId,
            );
            const living = inside.filter((key) => keyState(key, nowMs) !== 'revoked');
            const active = living.filter((key) => keyState(key, nowMs) === 'active');
            const query = workspaceId === undefined ? { nowMs } : { nowMs, workspaceId };
            const counted = [
              await stores.other.keys.count(query),
              await stores.other.keys.count({ ...query, state: 'active' }),
            ];
            expect([step, nowMs, ...counted]).toEqual([step, nowMs, living.length, active.length]);
          }
          const living = all.filter(({ revokedAtMs }) => revokedAtMs === null);
          expect(await stores.other.keys.countLive()).toBe(living.length);
        }
      };
      await expectAll('at first');
      await keys.update(sampleId(1), { expiresAtMs: 105 }, 1);
      await expectAll('an expiry');
      await keys.update(sampleId(1), { expiresAtMs: 2 * dayMs, name: 'later' }, 2);
      await expectAll('a later expiry');
      await keys.setEnabled(sampleId(1), false);
      await keys.setEnabled(sampleId(1), false);
      await expectAll('disabled twice');
      await keys.update(sampleId(1), { expiresAtMs: null }, 5);
      await keys.setEnabled(sampleId(1), true);
      await expectAll('enabled without an expiry');
      await keys.revoke(sampleId(1), 7);
      await expectAll('revoked with its children');
      await stores.storage.serverKeys.replace('another server key', 9);
      await expectAll('none left');
    });

    it('page by offset and by the number before, and count all pages', async () => {
      const page = async (request: { limit: number; offset?: number; afterNumber?: number }) => {
        const { keys, total } = await stores.storage.keys.page({ nowMs: 100 }, request);
        return [keys.map(({ number }) => number), total];
      };
      expect(await page({ limit: 2 })).toEqual([[1, 2], 4]);
      expect(await page({ limit: 2, offset: 2 })).toEqual([[3, 4], 4]);
      expect(await page({ limit: 2, offset: 9 })).toEqual([[], 4]);
      expect(await page({ limit: 2, afterNumber: 1 })).toEqual([[2, 3], 4]);
    });
  });

  describe('keys.update', () => {
    beforeEach(async () => {
      await stores.storage.serverKeys.replace('server key', 1);
    });

    it('changes what is named and nothing else, for every connection', async () => {
      const key = await storeKey(stores.storage, 1);
      expect(await stores.storage.keys.update(key.id, { name: 'new' }, 1)).toBe(true);
      expect(await stores.other.keys.findById(key.id)).toEqual({
        ...key,
        name: 'new',
        revision: 2,
      });
      const changes = {
        description: '',
        enabled: false,
        scopes: ['key:read'],
        expiresAtMs: 7,
        addressAllowList: ['::1'],
        limits: { hour: null },
        metadata: { a: 1 },
      } as const;
      expect(await stores.storage.keys.update(key.id, changes, 2)).toBe(true);
      expect(await stores.other.keys.findById(key.id)).toEqual({
        ...key,
        ...changes,
        name: 'new',
        revision: 3,
      });
    });

    it('refuses what was decided on an older revision, and keys that are revoked or not there', async () => {
      const key = await storeKey(stores.storage, 1);
      await stores.other.keys.setEnabled(key.id, true);
      expect(await stores.storage.keys.update(key.id, { name: 'new' }, 1)).toBe(false);
      await stores.other.keys.revoke(key.id, 5);
      expect(await stores.storage.keys.update(key.id, { name: 'new' }, 3)).toBe(false);
      expect(await stores.storage.keys.update(sampleId(9), { name: 'new' }, 1)).toBe(false);
      expect(await stores.storage.keys.findById(key.id)).toMatchObject({ name: key.name });
    });
  });

  describe('child keys', () => {
    beforeEach(async () => {
      await stores.storage.serverKeys.replace('server key', 1);
      await storeKey(stores.storage, 1, 'parent');
      await storeKey(stores.storage, 2, 'child', { parentNumber: 1 });
      await storeKey(stores.storage, 3, 'grandchild', { parentNumber: 2 });
      await storeKey(stores.storage, 4, 'stranger');
    });

    const digest = async (label: string) =>
      await stores.other.keys.findByDigest(sampleDigest(label));

    it('are found with their ancestors, nearest first', async () => {
      const numbers = (await digest('grandchild'))?.ancestors.map(({ number }) => number);
      expect(numbers).toEqual([2, 1]);
      expect((await digest('parent'))?.ancestors).toEqual([]);
    });

    it('are revoked with their parent, and nobody else is', async () => {
      await stores.storage.keys.revoke(sampleId(3), 40);
      expect(await stores.storage.keys.revoke(sampleId(1), 50)).toBe(true);
      expect([await digest('parent'), await digest('child'), await digest('grandchild')]).toEqual([
        null,
        null,
        null,
      ]);
      expect(await stores.other.keys.findById(sampleId(2))).toMatchObject({ revokedAtMs: 50 });
      expect(await stores.other.keys.findById(sampleId(3))).toMatchObject({ revokedAtMs: 40 });
      expect(await digest('stranger')).toMatchObject({ key: { revokedAtMs: null } });
    });

    it('are not made of a parent that is revoked or not there', async () => {
      await stores.storage.keys.revoke(sampleId(1), 50);
      for (const parentNumber of [1, 9]) {
        await expect(storeKey(stores.other, 5, 'late', { parentNumber })).rejects.toMatchObject({
          code: 'key_revoked',
        });
      }
      expect(await digest('late')).toBeNull();
    });
  });
}
