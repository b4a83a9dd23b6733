import type { PageRequest, VolumeFilter } from '@sandgate/core';
import { beforeEach, describe, expect, it } from 'vitest';
import type { StoresUnderTest } from '../storage-contract.ts';
import { sampleId, sampleVolume, sampleWorkspace } from './sample-records.ts';

export function describeVolumes(stores: StoresUnderTest): void {
  describe('volumes', () => {
    const workspaceId = sampleWorkspace(1).id;
    const sandboxId = sampleId(100);
    const at = (number: number) => ({ volumeId: sampleId(number), guestPath: `/disk-${number}` });

    beforeEach(async () => {
      await stores.storage.workspaces.insertIfAbsent(sampleWorkspace(1));
      await stores.storage.workspaces.insertIfAbsent(sampleWorkspace(2));
    });

    it('gives them back whole, by id, by name, and all', async () => {
      const attached = sampleVolume(2, {
        attachedSandboxId: sandboxId,
        guestPath: '/data',
        lastAttachedAtMs: 7,
      });
      await stores.storage.volumes.insert(sampleVolume(1));
      await stores.storage.volumes.insert(attached);
      expect(await stores.other.volumes.list()).toEqual([sampleVolume(1), attached]);
      expect(await stores.other.volumes.findById(attached.id)).toEqual(attached);
      expect(await stores.other.volumes.findByName(workspaceId, 'volume-1')).toEqual(
        sampleVolume(1),
      );
      expect(await stores.other.volumes.findByName(sampleWorkspace(2).id, 'volume-1')).toBeNull();
    });

    it('refuses a second one of a name in a workspace', async () => {
      await stores.storage.volumes.insert(sampleVolume(1, { name: 'cache' }));
      const refused = stores.other.volumes.insert(sampleVolume(2, { name: 'cache' }));
      await expect(refused).rejects.toMatchObject({
        code: 'volume_exists',
        message: 'A volume named "cache" already exists',
      });
      await stores.other.volumes.insert(
        sampleVolume(3, { name: 'cache', workspaceId: sampleWorkspace(2).id }),
      );
      await expect(
        stores.storage.volumes.insert(sampleVolume(4, { workspaceId: sampleId(9) })),
      ).rejects.toMatchObject({ code: 'workspace_not_found' });
    });

    it('gives all of them to one sandbox or none, and frees them', async () => {
      const { volumes } = stores.storage;
      for (const number of [1, 2, 3]) await volumes.insert(sampleVolume(number));
      expect(await volumes.attach([at(1), at(2)], sandboxId, 5)).toBeNull();
      expect(await stores.other.volumes.attach([at(3), at(2)], sampleId(101), 6)).toBe(sampleId(2));
      expect(await volumes.findById(sampleId(3))).toEqual(sampleVolume(3));
      expect(await volumes.attach([at(2), at(9)], sandboxId, 6)).toBe(sampleId(9));
      expect(await volumes.attach([at(2)], sandboxId, 7)).toBeNull();
      expect(await volumes.findById(sampleId(2))).toEqual(
        sampleVolume(2, {
          attachedSandboxId: sandboxId,
          guestPath: '/disk-2',
          lastAttachedAtMs: 7,
          updatedAtMs: 7,
        }),
      );
      expect(await volumes.beginRemoval(sampleId(2), 8)).toBe(false);
      const freed = await volumes.detach(sandboxId, 9);
      expect(freed.map(({ id, attachedSandboxId }) => [id, attachedSandboxId]).toSorted()).toEqual([
        [sampleId(1), null],
        [sampleId(2), null],
      ]);
      expect(await volumes.detach(sandboxId, 9)).toEqual([]);
    });

    it('gives a volume to one of two sandboxes that want it at once', async () => {
      await stores.storage.volumes.insert(sampleVolume(1));
      const results = await Promise.all([
        stores.storage.volumes.attach([at(1)], sandboxId, 5),
        stores.other.volumes.attach([at(1)], sampleId(101), 5),
      ]);
      expect(results.filter((taken) => taken === null)).toHaveLength(1);
    });

    it('attaches nothing that is being made or removed', async () => {
      const { volumes } = stores.storage;
      await volumes.insert(sampleVolume(1, { state: 'creating' }));
      expect(await volumes.attach([at(1)], sandboxId, 5)).toBe(sampleId(1));
      expect(await volumes.setState(sampleId(1), 'ready', 6)).toBe(true);
      expect(await volumes.beginRemoval(sampleId(1), 7)).toBe(true);
      expect(await volumes.attach([at(1)], sandboxId, 8)).toBe(sampleId(1));
      expect(await volumes.remove(sampleId(1))).toBe(true);
      expect(await volumes.remove(sampleId(1))).toBe(false);
      expect(await volumes.setState(sampleId(1), 'ready', 6)).toBe(false);
    });

    it('pages from the newest, of one workspace, by attachment and name', async () => {
      for (const number of [1, 2, 3]) await stores.storage.volumes.insert(sampleVolume(number));
      await stores.storage.volumes.attach([at(2)], sandboxId, 5);
      const page = async (filter: VolumeFilter, request: Partial<PageRequest> = {}) => {
        const found = await stores.other.volumes.page(workspaceId, filter, {
          limit: 100,
          ...request,
        });
        return [found.items.map(({ name }) => name), found.total, found.nextAfterId];
      };
      expect(await page({}, { limit: 2 })).toEqual([['volume-3', 'volume-2'], 3, sampleId(2)]);
      expect(await page({}, { afterId: sampleId(2) })).toEqual([['volume-1'], 3, null]);
      expect(await page({ attached: true })).toEqual([['volume-2'], 1, null]);
      expect(await page({ attached: false })).toEqual([['volume-3', 'volume-1'], 2, null]);
      expect(await page({ namePrefix: 'volume-3' })).toEqual([['volume-3'], 1, null]);
    });
  });
}
