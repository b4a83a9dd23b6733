import { describe, expect, it } from 'vitest';
import type { StoresUnderTest } from '../storage-contract.ts';
import {
  sampleDigest,
  sampleId,
  sampleWorkspace,
  storeKey,
  storePerson,
} from './sample-records.ts';

export function describeWorkspaces(stores: StoresUnderTest): void {
  describe('workspaces', () => {
    it('gives a stored workspace back whole, by slug and by id, on every connection', async () => {
      const workspace = sampleWorkspace(1);
      expect(await stores.storage.workspaces.insertIfAbsent(workspace)).toEqual(workspace);
      expect(await stores.other.workspaces.findBySlug(workspace.slug)).toEqual(workspace);
      expect(await stores.other.workspaces.findById(workspace.id)).toEqual(workspace);
      expect(await stores.other.workspaces.findByUuid(workspace.uuid)).toEqual(workspace);
    });

    it('answers null for what is not stored, and takes a slug by its exact case', async () => {
      await stores.storage.workspaces.insertIfAbsent(sampleWorkspace(1, 'team'));
      expect(await stores.storage.workspaces.findBySlug('Team')).toBeNull();
      expect(await stores.storage.workspaces.findBySlug('tea_')).toBeNull();
      expect(await stores.storage.workspaces.findById(sampleWorkspace(2).id)).toBeNull();
      expect(await stores.storage.workspaces.findByUuid(sampleWorkspace(2).uuid)).toBeNull();
    });

    it('gives both of two racing creators of a slug the same workspace', async () => {
      const [first, second] = await Promise.all([
        stores.storage.workspaces.insertIfAbsent(sampleWorkspace(1, 'team')),
        stores.other.workspaces.insertIfAbsent(sampleWorkspace(2, 'team')),
      ]);
      expect(first).toEqual(second);
      expect(await stores.storage.workspaces.list()).toEqual([first]);
    });

    it('leaves a stored workspace as it is when it is inserted again', async () => {
      const workspace = sampleWorkspace(1, 'team');
      await stores.storage.workspaces.insertIfAbsent(workspace);
      const again = { ...sampleWorkspace(2, 'team'), name: 'Another', plan: 'large' };
      expect(await stores.storage.workspaces.insertIfAbsent(again)).toEqual(workspace);
      expect(await stores.storage.workspaces.findById(again.id)).toBeNull();
    });

    it('lists by slug, in ASCII order', async () => {
      for (const [index, slug] of ['b', 'a', 'a_b', 'B', 'a-b', 'a1'].entries()) {
        await stores.storage.workspaces.insertIfAbsent(sampleWorkspace(index, slug));
      }
      const slugs = (await stores.other.workspaces.list()).map(({ slug }) => slug);
      expect(slugs).toEqual(['B', 'a', 'a-b', 'a1', 'a_b', 'b']);
    });

    it('makes one with its owner, under a slug that nobody has', async () => {
      const owner = await storePerson(stores.storage, 1);
      const workspace = { ...sampleWorkspace(2, 'team'), createdBy: owner.id };
      await stores.storage.workspaces.insert(workspace, owner.id);
      expect(await stores.other.members.find(owner.id, workspace.id)).toEqual({
        workspace,
        role: 'owner',
      });
      await expect(
        stores.other.workspaces.insert(sampleWorkspace(3, 'team'), null),
      ).rejects.toMatchObject({ code: 'workspace_exists' });
    });

    it('describes one anew', async () => {
      await stores.storage.workspaces.insert(sampleWorkspace(2), null);
      const changes = { name: 'Renamed', description: 'anew', updatedAtMs: 9 };
      expect(await stores.storage.workspaces.describe(sampleId(2), changes)).toBe(true);
      const found = await stores.other.workspaces.findById(sampleId(2));
      expect(found).toEqual({ ...sampleWorkspace(2), ...changes });
      expect(await stores.storage.workspaces.describe(sampleId(3), changes)).toBe(false);
    });

    it('closes one for good: nothing finds it, its keys are dead, its slug is free', async () => {
      const { serverKeys, workspaces, members } = stores.storage;
      await serverKeys.replace('server key', 1);
      const owner = await storePerson(stores.storage, 1);
      await workspaces.insert(sampleWorkspace(2, 'team'), owner.id);
      const key = await storeKey(stores.storage, 3, 'key', { workspaceId: sampleId(2) });
      expect(await workspaces.close(sampleId(2), 5_000)).toBe(true);
      expect(await workspaces.close(sampleId(2), 6_000)).toBe(false);
      for (const store of [stores.storage, stores.other]) {
        expect(await store.workspaces.findById(sampleId(2))).toBeNull();
        expect(await store.workspaces.findBySlug('team')).toBeNull();
        expect(await store.workspaces.findByUuid(sampleWorkspace(2).uuid)).toBeNull();
        expect(await store.members.find(owner.id, sampleId(2))).toBeNull();
        expect(await store.members.findBySlug(owner.id, 'team')).toBeNull();
        expect(await store.keys.findByDigest(sampleDigest('key'))).toBeNull();
      }
      expect(await stores.other.keys.findById(key.id)).toMatchObject({ revokedAtMs: 5_000 });
      expect((await members.listOfUser(owner.id)).map(({ workspace }) => workspace.slug)).toEqual([
        'workspace-1',
      ]);
      await workspaces.insert(sampleWorkspace(4, 'team'), null);
      const listed = (await workspaces.listClosed()).map(({ workspace, closedAtMs }) => [
        workspace.id,
        closedAtMs,
      ]);
      expect(listed).toEqual([[sampleId(2), 5_000]]);
      await workspaces.markPurged(sampleId(2), 7_000);
      expect(await stores.other.workspaces.listClosed()).toEqual([]);
    });

    it("closes nobody's home", async () => {
      await storePerson(stores.storage, 1);
      await expect(stores.storage.workspaces.close(sampleId(1), 5_000)).rejects.toMatchObject({
        code: 'owner_conflict',
      });
    });
  });
}
