import { describe, expect, it } from 'vitest';
import type { StoresUnderTest } from '../storage-contract.ts';
import { sampleId, samplePerson, sampleWorkspace, storePerson } from './sample-records.ts';

export function describeUsers(stores: StoresUnderTest): void {
  describe('users', () => {
    it('gives a stored user back whole, by e-mail, id and number, on every connection', async () => {
      const user = await storePerson(stores.storage, 1);
      expect(user).toEqual({
        ...samplePerson(1),
        number: 1,
        homeWorkspaceId: sampleId(1),
        lastLoginAtMs: null,
      });
      const { users } = stores.other;
      expect(await users.findByEmail('person1@example.com')).toEqual(user);
      expect(await users.findById(user.id)).toEqual(user);
      expect(await users.findByNumber(1)).toEqual(user);
      expect(await users.findByEmail('nobody@example.com')).toBeNull();
    });

    it('makes the user the owner of their home, in the same step', async () => {
      const user = await storePerson(stores.storage, 1);
      expect(await stores.other.members.find(user.id, sampleId(1))).toEqual({
        workspace: sampleWorkspace(1),
        role: 'owner',
      });
    });

    it('takes an e-mail address once, and leaves nothing of the second', async () => {
      await storePerson(stores.storage, 1);
      const twin = samplePerson(2, { email: 'person1@example.com' });
      await expect(stores.other.users.insert(twin, sampleWorkspace(2))).rejects.toMatchObject({
        code: 'user_exists',
      });
      expect(await stores.storage.workspaces.findById(sampleId(2))).toBeNull();
      expect(await stores.storage.users.count()).toBe(1);
    });

    it('gives no home that has an owner to another one', async () => {
      await storePerson(stores.storage, 1);
      const second = stores.storage.users.insert(samplePerson(2), sampleWorkspace(1));
      await expect(second).rejects.toMatchObject({ code: 'owner_conflict' });
    });

    it('gives parts of the list, by name and address too', async () => {
      for (const number of [1, 2, 3]) await storePerson(stores.storage, number);
      const numbers = async (request: Parameters<typeof stores.storage.users.page>[0]) => {
        const { users, total } = await stores.other.users.page(request);
        return [users.map(({ number }) => number), total];
      };
      expect(await numbers({ limit: 2 })).toEqual([[1, 2], 3]);
      expect(await numbers({ limit: 2, afterNumber: 2 })).toEqual([[3], 3]);
      expect(await numbers({ limit: 9, search: 'PERSON2@' })).toEqual([[2], 1]);
      expect(await numbers({ limit: 9, search: '%' })).toEqual([[], 0]);
    });

    it('of two that want to be the first, lets one', async () => {
      const insert = (number: number) =>
        stores[number === 1 ? 'storage' : 'other'].users.insert(
          samplePerson(number),
          sampleWorkspace(number),
          { onlyFirst: true },
        );
      const outcomes = await Promise.allSettled([insert(1), insert(2)]);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      await expect(insert(3)).rejects.toMatchObject({ code: 'setup_refused' });
    });

    it('changes what is given and nothing else', async () => {
      const user = await storePerson(stores.storage, 1);
      expect(await stores.storage.users.update(user.id, { enabled: false })).toBe(true);
      expect(await stores.storage.users.update(user.id, { lastLoginAtMs: 5 })).toBe(true);
      expect(await stores.storage.users.update(user.id, { passwordHash: null })).toBe(true);
      expect(await stores.other.users.findById(user.id)).toEqual({
        ...user,
        enabled: false,
        lastLoginAtMs: 5,
        passwordHash: null,
      });
      expect(await stores.storage.users.update(sampleId(9), { name: 'x' })).toBe(false);
    });

    it('lists by number', async () => {
      for (const number of [3, 1, 2]) await storePerson(stores.storage, number);
      const emails = (await stores.other.users.list()).map(({ email }) => email);
      expect(emails).toEqual(['person3@example.com', 'person1@example.com', 'person2@example.com']);
    });
  });
}
