import { describe, expect, it } from 'vitest';
import type { StoresUnderTest } from '../storage-contract.ts';
import { sampleWorkspace } from './sample-records.ts';

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
  });
}
