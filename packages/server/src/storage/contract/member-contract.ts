import type { Role } from '@sandgate/core';
import { beforeEach, describe, expect, it } from 'vitest';
import type { StoresUnderTest } from '../storage-contract.ts';
import { sampleId, sampleWorkspace, storePerson } from './sample-records.ts';

export function describeMembers(stores: StoresUnderTest): void {
  describe('members', () => {
    const team = sampleId(1);
    const add = (number: number, role: Role) =>
      stores.storage.members.insert({
        workspaceId: team,
        userId: sampleId(number),
        role,
        createdAtMs: number,
      });

    beforeEach(async () => {
      for (const number of [1, 2, 3]) await storePerson(stores.storage, number);
    });

    it('finds a member by id and by slug, on every connection, and nobody else', async () => {
      await add(2, 'viewer');
      const found = { workspace: sampleWorkspace(1), role: 'viewer' };
      expect(await stores.other.members.find(sampleId(2), team)).toEqual(found);
      expect(await stores.other.members.findBySlug(sampleId(2), 'workspace-1')).toEqual(found);
      expect(await stores.other.members.find(sampleId(3), team)).toBeNull();
      expect(await stores.other.members.findBySlug(sampleId(3), 'workspace-1')).toBeNull();
    });

    it('lists the workspaces of a person by slug, and the members of a workspace by time', async () => {
      await add(3, 'member');
      await add(2, 'admin');
      const of3 = await stores.other.members.listOfUser(sampleId(3));
      expect(of3.map(({ workspace, role }) => [workspace.slug, role])).toEqual([
        ['workspace-1', 'member'],
        ['workspace-3', 'owner'],
      ]);
      const members = await stores.other.members.listOfWorkspace(team);
      expect(members.map(({ member, user }) => [user.number, member.role])).toEqual([
        [2, 'admin'],
        [3, 'member'],
        [1, 'owner'],
      ]);
    });

    it('takes nobody twice, no second owner, and nobody into a workspace that is not there', async () => {
      await add(2, 'member');
      await expect(add(2, 'viewer')).rejects.toMatchObject({ code: 'member_exists' });
      await expect(add(3, 'owner')).rejects.toMatchObject({ code: 'owner_conflict' });
      const nowhere = { userId: sampleId(3), role: 'member', createdAtMs: 1 } as const;
      await expect(
        stores.storage.members.insert({ ...nowhere, workspaceId: sampleId(9) }),
      ).rejects.toMatchObject({ code: 'workspace_not_found' });
    });

    it('changes and removes a member, and never the owner', async () => {
      await add(2, 'member');
      expect(await stores.storage.members.setRole(team, sampleId(2), 'admin')).toBe(true);
      expect(await stores.other.members.find(sampleId(2), team)).toMatchObject({ role: 'admin' });
      expect(await stores.storage.members.setRole(team, sampleId(2), 'owner')).toBe(false);
      expect(await stores.storage.members.setRole(team, sampleId(1), 'viewer')).toBe(false);
      expect(await stores.storage.members.remove(team, sampleId(1))).toBe(false);
      expect(await stores.storage.members.remove(team, sampleId(2))).toBe(true);
      expect(await stores.storage.members.remove(team, sampleId(2))).toBe(false);
      expect(await stores.other.members.find(sampleId(2), team)).toBeNull();
    });

    it('hands a workspace over to a member, and to nobody else', async () => {
      await add(2, 'viewer');
      const { members } = stores.storage;
      expect(await members.transfer(team, sampleId(2), sampleId(1))).toBe(false);
      expect(await members.transfer(team, sampleId(1), sampleId(3))).toBe(false);
      expect(await members.transfer(team, sampleId(1), sampleId(1))).toBe(false);
      expect(await members.transfer(team, sampleId(1), sampleId(2))).toBe(true);
      expect(await members.transfer(team, null, sampleId(1))).toBe(false);
      expect(await stores.other.members.find(sampleId(1), team)).toMatchObject({ role: 'admin' });
      expect(await stores.other.members.find(sampleId(2), team)).toMatchObject({ role: 'owner' });
    });
  });
}
