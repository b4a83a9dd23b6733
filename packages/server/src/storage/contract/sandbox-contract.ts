import { type Sandbox, sandboxStates } from '@sandgate/core';
import { beforeEach, describe, expect, it } from 'vitest';
import type { StoresUnderTest } from '../storage-contract.ts';
import { sampleId, sampleSandbox, sampleWorkspace } from './sample-records.ts';

export function describeSandboxes(stores: StoresUnderTest): void {
  describe('sandboxes', () => {
    const workspaceId = sampleWorkspace(1).id;
    const otherWorkspaceId = sampleWorkspace(2).id;

    beforeEach(async () => {
      await stores.storage.workspaces.insertIfAbsent(sampleWorkspace(1));
      await stores.storage.workspaces.insertIfAbsent(sampleWorkspace(2));
    });

    const sandboxIn = (state: Sandbox['state'], number: number): Sandbox => {
      const sandbox = sampleSandbox({ number, workspaceId, name: `box-${number}` });
      if (state === 'destroyed') return { ...sandbox, state, destroyedAtMs: 9 };
      return state === 'failed'
        ? { ...sandbox, state, failure: 'no memory' }
        : { ...sandbox, state };
    };

    it('gives a sandbox in every state back whole, on every connection', async () => {
      for (const [number, state] of sandboxStates.entries()) {
        const sandbox = sandboxIn(state, number);
        await stores.storage.sandboxes.insert(sandbox);
        expect(await stores.other.sandboxes.findById(sandbox.id)).toEqual(sandbox);
        expect(await stores.other.sandboxes.findByName(workspaceId, sandbox.name)).toEqual(
          state === 'destroyed' ? null : sandbox,
        );
      }
    });

    it('answers null for what is not stored, and for the same name in another workspace', async () => {
      await stores.storage.sandboxes.insert(sandboxIn('ready', 1));
      expect(await stores.storage.sandboxes.findById(sampleId(2))).toBeNull();
      expect(await stores.storage.sandboxes.findByName(workspaceId, 'BOX-1')).toBeNull();
      expect(await stores.storage.sandboxes.findByName(otherWorkspaceId, 'box-1')).toBeNull();
    });

    it('stores each new state, and never changes workspace, name or time of creation', async () => {
      const sandbox = sandboxIn('starting', 1);
      await stores.storage.sandboxes.insert(sandbox);
      const failed: Sandbox = { ...sandbox, state: 'failed', failure: 'no memory', updatedAtMs: 7 };
      await stores.storage.sandboxes.update({
        ...failed,
        name: 'renamed',
        workspaceId: otherWorkspaceId,
        createdAtMs: 1,
      });
      expect(await stores.other.sandboxes.findById(sandbox.id)).toEqual(failed);
      const restarted: Sandbox = {
        ...sandbox,
        state: 'starting',
        definition: { ...sandbox.definition, image: 'microsandbox/node', exec: 'node' },
      };
      await stores.storage.sandboxes.update(restarted);
      expect(await stores.other.sandboxes.findById(sandbox.id)).toEqual(restarted);
    });

    it('refuses a second sandbox of a name, until the first is destroyed', async () => {
      const first = sandboxIn('stopped', 1);
      const second = { ...first, id: sampleId(2) };
      await stores.storage.sandboxes.insert(first);
      await expect(stores.other.sandboxes.insert(second)).rejects.toMatchObject({
        code: 'sandbox_exists',
      });
      await stores.storage.sandboxes.insert({
        ...first,
        id: sampleId(3),
        workspaceId: otherWorkspaceId,
      });
      await stores.storage.sandboxes.update({ ...first, state: 'destroyed', destroyedAtMs: 8 });
      await stores.other.sandboxes.insert(second);
      expect(await stores.storage.sandboxes.findByName(workspaceId, first.name)).toEqual(second);
    });

    it('lets one of two inserts of a name at once win', async () => {
      const sandbox = sandboxIn('starting', 1);
      const results = await Promise.allSettled([
        stores.storage.sandboxes.insert(sandbox),
        stores.other.sandboxes.insert({ ...sandbox, id: sampleId(2) }),
      ]);
      expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      expect(await stores.storage.sandboxes.list()).toHaveLength(1);
    });

    it('refuses a sandbox of a workspace that is not stored', async () => {
      const lost = { ...sandboxIn('starting', 1), workspaceId: sampleId(9) };
      await expect(stores.storage.sandboxes.insert(lost)).rejects.toMatchObject({
        code: 'workspace_not_found',
      });
    });

    it('finds nothing to update in a sandbox that is destroyed or was never stored', async () => {
      const destroyed = sandboxIn('destroyed', 1);
      await stores.storage.sandboxes.insert(destroyed);
      const notFound = { code: 'sandbox_not_found' };
      await expect(stores.storage.sandboxes.update(sandboxIn('ready', 1))).rejects.toMatchObject(
        notFound,
      );
      await expect(stores.storage.sandboxes.update(sandboxIn('ready', 2))).rejects.toMatchObject(
        notFound,
      );
      expect(await stores.other.sandboxes.findById(destroyed.id)).toEqual(destroyed);
    });

    it('lists what is not destroyed by name in ASCII order, of one workspace or of all', async () => {
      const names = ['b', 'a_1', 'B', 'a-1', 'a'];
      for (const [number, name] of names.entries()) {
        const inWorkspace = number % 2 === 0 ? workspaceId : otherWorkspaceId;
        await stores.storage.sandboxes.insert(
          sampleSandbox({ number, workspaceId: inWorkspace, name }),
        );
      }
      await stores.storage.sandboxes.insert(sandboxIn('destroyed', 10));
      const listed = async (workspace?: string) =>
        (await stores.other.sandboxes.list(workspace)).map(({ name }) => name);
      expect(await listed()).toEqual(['B', 'a', 'a-1', 'a_1', 'b']);
      expect(await listed(workspaceId)).toEqual(['B', 'a', 'b']);
      expect(await listed(otherWorkspaceId)).toEqual(['a-1', 'a_1']);
      expect(await listed(sampleId(9))).toEqual([]);
    });

    it('counts by state, and leaves out states that none is in', async () => {
      expect(await stores.storage.sandboxes.countByState()).toEqual({});
      for (const [number, state] of (
        ['ready', 'ready', 'destroyed', 'failed'] as const
      ).entries()) {
        await stores.storage.sandboxes.insert(sandboxIn(state, number));
      }
      expect(await stores.other.sandboxes.countByState()).toEqual({
        ready: 2,
        destroyed: 1,
        failed: 1,
      });
    });

    it('marks stopped whatever claims a process, and nothing else', async () => {
      for (const [number, state] of sandboxStates.entries()) {
        await stores.storage.sandboxes.insert(sandboxIn(state, number));
      }
      expect(await stores.storage.sandboxes.markAllStopped(77)).toBe(5);
      expect(await stores.other.sandboxes.countByState()).toEqual({
        stopped: 6,
        destroyed: 1,
        failed: 1,
      });
      const touched = (await stores.other.sandboxes.list()).filter(
        ({ updatedAtMs }) => updatedAtMs === 77,
      );
      expect(touched).toHaveLength(5);
      expect(await stores.other.sandboxes.markAllStopped(78)).toBe(0);
    });
  });
}
