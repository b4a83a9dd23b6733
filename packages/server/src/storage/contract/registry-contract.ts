import type { Registry } from '@sandgate/core';
import { beforeEach, describe, expect, it } from 'vitest';
import type { StoresUnderTest } from '../storage-contract.ts';
import { sampleId, sampleWorkspace } from './sample-records.ts';

export function describeRegistries(stores: StoresUnderTest): void {
  describe('registries', () => {
    const workspaceId = sampleWorkspace(1).id;
    const otherId = sampleWorkspace(2).id;
    const sample = (number: number, facts: Partial<Registry> = {}): Registry => ({
      id: sampleId(number),
      workspaceId,
      name: `registry ${number}`,
      server: 'registry.example:5000',
      allowHttp: true,
      username: 'puller',
      sealedPassword: { sealed: new Uint8Array([1, 2, number]), serverKeyVersion: 3 },
      email: 'puller@example.com',
      enabled: true,
      createdAtMs: 10,
      updatedAtMs: 11,
      ...facts,
    });

    beforeEach(async () => {
      await stores.storage.workspaces.insertIfAbsent(sampleWorkspace(1));
      await stores.storage.workspaces.insertIfAbsent(sampleWorkspace(2));
    });

    it('come back whole, oldest first, to their own workspace', async () => {
      const bare = sample(2, { email: null, enabled: false, allowHttp: false });
      await stores.storage.registries.insert(bare, 9);
      await stores.storage.registries.insert(sample(1), 9);
      expect(await stores.other.registries.list(workspaceId)).toEqual([sample(1), bare]);
      expect(await stores.other.registries.find(workspaceId, bare.id)).toEqual(bare);
      expect(await stores.other.registries.find(otherId, bare.id)).toBeNull();
      expect(await stores.other.registries.find(undefined, bare.id)).toEqual(bare);
      expect(await stores.other.registries.list(otherId)).toEqual([]);
    });

    it('are changed as they are stored, and not by what throws', async () => {
      const { registries } = stores.storage;
      await registries.insert(sample(1), 9);
      const rename = (stored: Registry) => ({ ...stored, name: `${stored.name}, renamed` });
      expect(await registries.change(otherId, sampleId(1), rename)).toBeNull();
      expect(await registries.change(workspaceId, sampleId(9), rename)).toBeNull();
      const renamed = sample(1, { name: 'registry 1, renamed' });
      expect(await registries.change(workspaceId, sampleId(1), rename)).toEqual(renamed);
      const refuse = () => {
        throw new Error('refused');
      };
      await expect(registries.change(workspaceId, sampleId(1), refuse)).rejects.toThrow('refused');
      expect(await stores.other.registries.list(workspaceId)).toEqual([renamed]);
    });

    it('are removed for good, and counted', async () => {
      const { registries } = stores.storage;
      await registries.insert(sample(1), 1);
      await expect(registries.insert(sample(2), 1)).rejects.toMatchObject({
        code: 'quota_exceeded',
      });
      await expect(
        registries.insert(sample(2, { workspaceId: sampleId(77) }), 9),
      ).rejects.toMatchObject({ code: 'workspace_not_found' });
      expect(await registries.remove(otherId, sampleId(1))).toBe(false);
      expect(await registries.remove(workspaceId, sampleId(1))).toBe(true);
      expect(await registries.remove(workspaceId, sampleId(1))).toBe(false);
      expect(await registries.list(workspaceId)).toEqual([]);
    });
  });
}
