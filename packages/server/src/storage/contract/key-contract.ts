import { mostAncestors } from '@sandgate/core';
import { beforeEach, describe, expect, it } from 'vitest';
import type { StoresUnderTest } from '../storage-contract.ts';
import {
  sampleDigest,
  sampleId,
  sampleKey,
  sampleSandbox,
  sampleSecret,
  sampleWorkspace,
  storeKey,
} from './sample-records.ts';

export function describeKeys(stores: StoresUnderTest): void {
  describe('keys', () => {
    beforeEach(async () => {
      await stores.storage.serverKeys.replace('server key', 1);
    });

    it('gives a stored key back whole, by digest, id and number, on every connection', async () => {
      await stores.storage.workspaces.insertIfAbsent(sampleWorkspace(1));
      const newKey = sampleKey(1, {
        lineageId: sampleId(77),
        prefix: 'mbx_',
        workspaceId: sampleWorkspace(1).id,
        scopes: ['sandbox:read', 'file:write'],
        addressAllowList: ['10.0.0.0/8', '::1'],
        expiresAtMs: 1_900_000_000_000,
        enabled: false,
        lastUsedAtMs: 5,
        usageCount: 6,
        limits: { minute: 5, day: null },
        restrictions: { templates: ['python'], sandboxNamePrefix: 'é', maxCpus: 0.5 },
        metadata: { team: 'grün', nested: { list: [1, null] } },
      });
      const secret = sampleSecret(newKey.id, 'text');
      const key = await stores.storage.keys.insert(newKey, secret);
      expect(key).toEqual({ ...newKey, number: 1, revision: 1 });
      expect(await stores.other.keys.findById(key.id)).toEqual(key);
      expect(await stores.other.keys.findByNumber(1)).toEqual(key);
      const found = await stores.other.keys.findByDigest(sampleDigest('text'));
      expect(found?.key).toEqual(key);
      expect({ ...found?.secret, digest: null }).toEqual({ ...secret, digest: null });
      expect(Buffer.from(found?.secret.digest ?? [])).toEqual(Buffer.from(secret.digest));
    });

    it('answers null for what is not stored', async () => {
      await storeKey(stores.storage, 1);
      expect(await stores.storage.keys.findByDigest(sampleDigest('other'))).toBeNull();
      expect(await stores.storage.keys.findByDigest(new Uint8Array(0))).toBeNull();
      expect(await stores.storage.keys.findById(sampleId(2))).toBeNull();
      expect(await stores.storage.keys.findByNumber(2)).toBeNull();
    });

    it('gives keys that two connections insert at once numbers of their own', async () => {
      const keys = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          storeKey(index % 2 === 0 ? stores.storage : stores.other, index),
        ),
      );
      expect(new Set(keys.map(({ number }) => number)).size).toBe(20);
    });

    it('stores neither key nor secret when one of them is refused', async () => {
      await storeKey(stores.storage, 1, 'taken');
      await expect(storeKey(stores.storage, 2, 'taken')).rejects.toThrow();
      expect(await stores.storage.keys.findById(sampleId(2))).toBeNull();
      expect((await stores.storage.keys.findByDigest(sampleDigest('taken')))?.key.number).toBe(1);
    });

    it('refuses a key of a workspace that is not stored', async () => {
      await expect(
        storeKey(stores.storage, 1, 'text', { workspaceId: sampleId(9) }),
      ).rejects.toMatchObject({ code: 'workspace_not_found' });
      expect(await stores.storage.keys.findByDigest(sampleDigest('text'))).toBeNull();
    });

    it('refuses a key that would have more ancestors than every call of it can be asked to pay for', async () => {
      await storeKey(stores.storage, 1);
      for (let number = 2; number <= mostAncestors + 1; number += 1) {
        await storeKey(stores.storage, number, `secret ${number}`, { parentNumber: number - 1 });
      }
      await expect(
        storeKey(stores.storage, 99, 'one more', { parentNumber: mostAncestors + 1 }),
      ).rejects.toMatchObject({ code: 'invalid_request' });
    });

    it('dies with the sandbox that it is restricted to, its children too', async () => {
      await stores.storage.workspaces.insertIfAbsent(sampleWorkspace(1));
      await stores.storage.workspaces.insertIfAbsent(sampleWorkspace(2));
      const [{ id: workspaceId }, { id: elsewhere }] = [sampleWorkspace(1), sampleWorkspace(2)];
      const box = sampleSandbox({ number: 50, workspaceId, name: 'box' });
      await stores.storage.sandboxes.insert(box);
      const restrictions = { sandboxId: box.id };
      const bound = await storeKey(stores.storage, 1, 'bound', { workspaceId, restrictions });
      await storeKey(stores.storage, 2, 'child', { workspaceId, parentNumber: bound.number });
      await storeKey(stores.storage, 3, 'other', { workspaceId });
      await stores.storage.sandboxes.update({ ...box, state: 'stopped' });
      expect(await stores.other.keys.findByDigest(sampleDigest('bound'))).not.toBeNull();
      await stores.storage.sandboxes.update({
        ...box,
        state: 'destroyed',
        destroyedAtMs: 77,
        destroyReason: 'user',
        failure: null,
      });
      for (const label of ['bound', 'child']) {
        expect(await stores.other.keys.findByDigest(sampleDigest(label))).toBeNull();
      }
      expect(await stores.other.keys.findByNumber(1)).toMatchObject({ revokedAtMs: 77 });
      expect(await stores.other.keys.findByDigest(sampleDigest('other'))).not.toBeNull();

      const absent = { code: 'sandbox_not_found' };
      const late = storeKey(stores.storage, 4, 'late', { workspaceId, restrictions });
      await expect(late).rejects.toMatchObject(absent);
      const third = await stores.storage.keys.findByNumber(3);
      await expect(
        stores.storage.keys.update(third?.id ?? '', { restrictions }, 1),
      ).rejects.toMatchObject(absent);
      const living = sampleSandbox({ number: 51, workspaceId, name: 'living' });
      await stores.storage.sandboxes.insert(living);
      const foreign = { workspaceId: elsewhere, restrictions: { sandboxId: living.id } };
      await expect(storeKey(stores.storage, 5, 'far', foreign)).rejects.toMatchObject(absent);
    });

    it('lists by number, of all workspaces, of one, or those for every one', async () => {
      await stores.storage.workspaces.insertIfAbsent(sampleWorkspace(1));
      await stores.storage.workspaces.insertIfAbsent(sampleWorkspace(2));
      await storeKey(stores.storage, 30, 'a', { workspaceId: sampleWorkspace(1).id });
      await storeKey(stores.storage, 20, 'b');
      await storeKey(stores.storage, 10, 'c', { workspaceId: sampleWorkspace(1).id });
      await stores.storage.keys.revoke(sampleId(30), 9);
      const numbers = async (filter: Parameters<typeof stores.other.keys.list>[0]) =>
        (await stores.other.keys.list(filter)).map(({ number }) => number);
      expect(await numbers({})).toEqual([2, 3]);
      expect(await numbers({ includeRevoked: true })).toEqual([1, 2, 3]);
      expect(await numbers({ workspaceId: null })).toEqual([2]);
      expect(await numbers({ workspaceId: sampleWorkspace(1).id })).toEqual([3]);
      expect(await numbers({ workspaceId: sampleWorkspace(1).id, includeRevoked: true })).toEqual([
        1, 3,
      ]);
      expect(await numbers({ workspaceId: sampleWorkspace(2).id })).toEqual([]);
    });

    it('disables and enables a key for every connection, and counts each as a change', async () => {
      const key = await storeKey(stores.storage, 1);
      expect(await stores.storage.keys.setEnabled(key.id, false)).toBe(true);
      expect(await stores.other.keys.findByDigest(sampleDigest('secret 1'))).toMatchObject({
        key: { enabled: false, revision: 2 },
      });
      expect(await stores.storage.keys.setEnabled(key.id, true)).toBe(true);
      expect(await stores.other.keys.findById(key.id)).toEqual({ ...key, revision: 3 });
      expect(await stores.storage.keys.setEnabled(sampleId(2), true)).toBe(false);
    });

    it('revokes once, for good, and with every secret', async () => {
      const key = await storeKey(stores.storage, 1);
      await storeKey(stores.storage, 2);
      expect(await stores.storage.keys.revoke(key.id, 50)).toBe(true);
      expect(await stores.other.keys.findByDigest(sampleDigest('secret 1'))).toBeNull();
      expect(await stores.other.keys.findByDigest(sampleDigest('secret 2'))).not.toBeNull();
      const revoked = { ...key, revokedAtMs: 50, revision: 2 };
      expect(await stores.other.keys.findById(key.id)).toEqual(revoked);
      expect(await stores.other.keys.findByNumber(key.number)).toEqual(revoked);

      expect(await stores.other.keys.revoke(key.id, 60)).toBe(false);
      expect(await stores.other.keys.setEnabled(key.id, true)).toBe(false);
      const rotation = { lastFour: 'ffff', overlapUntilMs: null, expectedRevision: 2 };
      const secret = sampleSecret(key.id, 'again');
      expect(await stores.other.keys.rotate(key.id, secret, rotation)).toBe(false);
      expect(await stores.other.keys.findByDigest(secret.digest)).toBeNull();
      expect(await stores.storage.keys.findById(key.id)).toEqual(revoked);
      expect(await stores.storage.keys.revoke(sampleId(3), 50)).toBe(false);
    });

    it('answers of a key that it has read before what another connection made of it since', async () => {
      const key = await storeKey(stores.storage, 1);
      const read = async () => await stores.storage.keys.findByDigest(sampleDigest('secret 1'));
      expect((await read())?.key.enabled).toBe(true);
      await stores.other.keys.setEnabled(key.id, false);
      expect((await read())?.key.enabled).toBe(false);
      await stores.other.keys.revoke(key.id, 50);
      expect(await read()).toBeNull();
    });

    it('sees at the next moment what was committed during the one before', async () => {
      const key = await storeKey(stores.storage, 1);
      const read = async () => await stores.storage.keys.findByDigest(sampleDigest('secret 1'));
      const revocation = stores.storage.atOneMoment(() => {
        void read();
        return stores.other.keys.revoke(key.id, 50);
      });
      expect(await revocation).toBe(true);
      expect(await stores.storage.atOneMoment(read)).toBeNull();
    });

    it('lets one of two revocations at once be the one', async () => {
      const key = await storeKey(stores.storage, 1);
      const answers = await Promise.all([
        stores.storage.keys.revoke(key.id, 50),
        stores.other.keys.revoke(key.id, 51),
      ]);
      expect(answers.toSorted()).toEqual([false, true]);
    });

    it('counts the keys that live', async () => {
      expect(await stores.storage.keys.countLive()).toBe(0);
      await storeKey(stores.storage, 1);
      await storeKey(stores.storage, 2, 'disabled', { enabled: false });
      await storeKey(stores.storage, 3);
      await stores.storage.keys.revoke(sampleId(3), 5);
      expect(await stores.other.keys.countLive()).toBe(2);
    });
  });
}
