import type { PageRequest, Snapshot, SnapshotFilter } from '@sandgate/core';
import { beforeEach, describe, expect, it } from 'vitest';
import type { StoresUnderTest } from '../storage-contract.ts';
import { sampleId, sampleSnapshot, sampleWorkspace } from './sample-records.ts';

export function describeSnapshots(stores: StoresUnderTest): void {
  describe('snapshots', () => {
    const workspaceId = sampleWorkspace(1).id;
    const ready = (
      number: number,
      changes: Parameters<typeof sampleSnapshot>[1] = {},
    ): Snapshot => ({
      ...sampleSnapshot(number, changes),
      state: 'ready',
      sizeBytes: 42,
    });
    const failed = (number: number): Snapshot => ({
      ...sampleSnapshot(number),
      state: 'failed',
      failureReason: 'The disk is full',
    });

    beforeEach(async () => {
      await stores.storage.workspaces.insertIfAbsent(sampleWorkspace(1));
      await stores.storage.workspaces.insertIfAbsent(sampleWorkspace(2));
    });

    it('gives one in every state back whole, on every connection', async () => {
      const all = [sampleSnapshot(1), ready(2), failed(3)];
      for (const snapshot of all) await stores.storage.snapshots.insert(snapshot);
      expect(await stores.other.snapshots.list()).toEqual(all);
      expect(await stores.other.snapshots.findById(sampleId(2))).toEqual(ready(2));
      expect(await stores.other.snapshots.findById(sampleId(9))).toBeNull();
    });

    it('stores each new state, and says when there is nothing to change or remove', async () => {
      await stores.storage.snapshots.insert(sampleSnapshot(1));
      expect(await stores.storage.snapshots.update(ready(1, { expiresAtMs: 5 }))).toBe(true);
      expect(await stores.other.snapshots.findById(sampleId(1))).toEqual(
        ready(1, { expiresAtMs: 5 }),
      );
      expect(await stores.storage.snapshots.update(ready(2))).toBe(false);
      expect(await stores.storage.snapshots.remove(sampleId(1))).toBe(true);
      expect(await stores.storage.snapshots.remove(sampleId(1))).toBe(false);
      expect(await stores.other.snapshots.list()).toEqual([]);
    });

    it('refuses a second one of a name of the same sandbox, unless the first failed', async () => {
      const name = 'nightly';
      await stores.storage.snapshots.insert({ ...failed(1), name });
      await stores.storage.snapshots.insert(ready(2, { name }));
      await expect(
        stores.other.snapshots.insert(sampleSnapshot(3, { name })),
      ).rejects.toMatchObject({ code: 'snapshot_exists' });
      await stores.other.snapshots.insert(sampleSnapshot(4, { name, sandboxId: sampleId(101) }));
      await expect(
        stores.storage.snapshots.insert(sampleSnapshot(5, { workspaceId: sampleId(9) })),
      ).rejects.toMatchObject({ code: 'workspace_not_found' });
    });

    it('pages from the newest, of one workspace, by sandbox, state and name', async () => {
      await stores.storage.snapshots.insert(sampleSnapshot(1));
      await stores.storage.snapshots.insert(ready(2, { sandboxId: sampleId(101) }));
      await stores.storage.snapshots.insert(failed(3));
      await stores.storage.snapshots.insert(ready(4, { workspaceId: sampleWorkspace(2).id }));
      const page = async (filter: SnapshotFilter, request: Partial<PageRequest> = {}) => {
        const found = await stores.other.snapshots.page(workspaceId, filter, {
          limit: 100,
          ...request,
        });
        return [found.items.map(({ name }) => name), found.total, found.nextAfterId];
      };
      expect(await page({})).toEqual([['snapshot-3', 'snapshot-2', 'snapshot-1'], 3, null]);
      expect(await page({}, { limit: 1, offset: 1 })).toEqual([['snapshot-2'], 3, sampleId(2)]);
      expect(await page({}, { afterId: sampleId(2) })).toEqual([['snapshot-1'], 3, null]);
      expect(await page({ sandboxId: sampleId(101) })).toEqual([['snapshot-2'], 1, null]);
      expect(await page({ state: 'failed' })).toEqual([['snapshot-3'], 1, null]);
      expect(await page({ automatic: true })).toEqual([['snapshot-2'], 1, null]);
      expect(await page({ namePrefix: 'snapshot-1' })).toEqual([['snapshot-1'], 1, null]);
    });
  });
}
