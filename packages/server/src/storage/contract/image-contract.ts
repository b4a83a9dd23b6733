import type { SandboxImage } from '@sandgate/core';
import { beforeEach, describe, expect, it } from 'vitest';
import type { StoresUnderTest } from '../storage-contract.ts';
import { sampleId, sampleWorkspace } from './sample-records.ts';

export function describeImages(stores: StoresUnderTest): void {
  describe('images', () => {
    const workspaceId = sampleWorkspace(1).id;
    const otherId = sampleWorkspace(2).id;
    const sample = (number: number, facts: Partial<SandboxImage> = {}): SandboxImage => ({
      id: sampleId(number),
      workspaceId,
      name: `image ${number}`,
      image: 'python',
      tag: 'latest',
      registryId: sampleId(90 + number),
      description: 'for tests',
      enabled: true,
      isDefault: false,
      memoryMib: 512,
      ttlMs: 60_000,
      createdAtMs: 10,
      updatedAtMs: 11,
      ...facts,
    });

    beforeEach(async () => {
      await stores.storage.workspaces.insertIfAbsent(sampleWorkspace(1));
      await stores.storage.workspaces.insertIfAbsent(sampleWorkspace(2));
    });

    it('come back whole, oldest first, to their own workspace', async () => {
      const bare = sample(2, {
        ...{ description: null, enabled: false, memoryMib: null, ttlMs: null },
        registryId: null,
      });
      await stores.storage.images.insert(bare, 9);
      await stores.storage.images.insert(sample(1), 9);
      expect(await stores.other.images.list(workspaceId)).toEqual([sample(1), bare]);
      expect(await stores.other.images.find(workspaceId, bare.id)).toEqual(bare);
      expect(await stores.other.images.find(otherId, bare.id)).toBeNull();
      expect(await stores.other.images.list(otherId)).toEqual([]);
    });

    it('have one default, which is the last that was made one', async () => {
      const { images } = stores.storage;
      await images.insert(sample(1, { isDefault: true }), 9);
      await images.insert(sample(3, { isDefault: true, workspaceId: otherId }), 9);
      await images.insert(sample(2, { isDefault: true }), 9);
      const defaults = async () =>
        (await images.list(workspaceId)).filter((each) => each.isDefault).map(({ id }) => id);
      expect(await defaults()).toEqual([sampleId(2)]);
      expect(await images.update(sample(1, { isDefault: true, name: 'renamed' }))).toBe(true);
      expect(await defaults()).toEqual([sampleId(1)]);
      expect((await images.find(workspaceId, sampleId(1)))?.name).toBe('renamed');
      expect((await images.list(otherId))[0]?.isDefault).toBe(true);
      expect(await images.update(sample(9))).toBe(false);
      expect(await images.update(sample(1, { workspaceId: otherId }))).toBe(false);
    });

    it('are removed for good, and counted', async () => {
      const { images } = stores.storage;
      await images.insert(sample(1), 1);
      await expect(images.insert(sample(2), 1)).rejects.toMatchObject({ code: 'quota_exceeded' });
      await expect(
        images.insert(sample(2, { workspaceId: sampleId(77) }), 9),
      ).rejects.toMatchObject({ code: 'workspace_not_found' });
      expect(await images.remove(otherId, sampleId(1))).toBe(false);
      expect(await images.remove(workspaceId, sampleId(1))).toBe(true);
      expect(await images.remove(workspaceId, sampleId(1))).toBe(false);
      expect(await images.list(workspaceId)).toEqual([]);
    });
  });
}
