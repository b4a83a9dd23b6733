import {
  endlessLifetime,
  type PageRequest,
  type Sandbox,
  type SandboxFilter,
  sandboxStates,
} from '@sandgate/core';
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
      if (state === 'destroyed') {
        return { ...sandbox, state, destroyedAtMs: 9, destroyReason: 'idle', failure: 'no disk' };
      }
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

    it('stores each new state, and never changes workspace, creator or time of creation', async () => {
      const sandbox = sandboxIn('starting', 1);
      await stores.storage.sandboxes.insert(sandbox);
      const failed: Sandbox = { ...sandbox, state: 'failed', failure: 'no memory', updatedAtMs: 7 };
      await stores.storage.sandboxes.update({
        ...failed,
        workspaceId: otherWorkspaceId,
        createdByKey: 99,
        createdAtMs: 1,
      });
      expect(await stores.other.sandboxes.findById(sandbox.id)).toEqual(failed);
      const restarted: Sandbox = {
        ...sandbox,
        state: 'starting',
        definition: { ...sandbox.definition, image: 'microsandbox/node', exec: 'node' },
        name: 'renamed',
        labels: {},
        egress: { mode: 'open' },
        volumes: [],
        fromSnapshot: null,
        lifetime: endlessLifetime,
        snapshotSchedule: null,
        lastActivityAtMs: 9,
        pausedAtMs: null,
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
      await stores.storage.sandboxes.update({
        ...first,
        state: 'destroyed',
        destroyedAtMs: 8,
        destroyReason: 'user',
        failure: null,
      });
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

    it('keeps a name that another has, and says so', async () => {
      const taken = sandboxIn('ready', 1);
      const other = sandboxIn('ready', 2);
      await stores.storage.sandboxes.insert(taken);
      await stores.storage.sandboxes.insert(other);
      await expect(
        stores.storage.sandboxes.update({ ...other, name: taken.name }),
      ).rejects.toMatchObject({ code: 'sandbox_exists' });
      expect(await stores.other.sandboxes.findById(other.id)).toEqual(other);
    });

    describe('a page', () => {
      const page = async (
        filter: SandboxFilter,
        request: Partial<PageRequest> = {},
        workspace = workspaceId,
      ) => {
        const found = await stores.other.sandboxes.page(workspace, filter, {
          limit: 100,
          ...request,
        });
        return { ...found, items: found.items.map(({ name }) => name) };
      };

      beforeEach(async () => {
        const states = ['ready', 'paused', 'stopped', 'failed', 'destroyed'] as const;
        for (const [index, state] of states.entries()) {
          await stores.storage.sandboxes.insert({
            ...sandboxIn(state, index + 1),
            template: index % 2 === 0 ? 'python' : 'node',
            labels: index % 2 === 0 ? { 'a.b"c': 'x', team: 'core' } : { team: 'core' },
          });
        }
        await stores.storage.sandboxes.insert(
          sampleSandbox({ number: 9, workspaceId: otherWorkspaceId, name: 'box-9' }),
        );
      });

      it('runs from the newest, tells how many there are, and goes on behind an id or a number', async () => {
        expect(await page({})).toEqual({
          items: ['box-4', 'box-3', 'box-2', 'box-1'],
          total: 4,
          nextAfterId: null,
        });
        const first = await page({}, { limit: 2 });
        expect(first).toEqual({ items: ['box-4', 'box-3'], total: 4, nextAfterId: sampleId(3) });
        const next = { items: ['box-2', 'box-1'], total: 4, nextAfterId: null };
        expect(await page({}, { limit: 2, afterId: first.nextAfterId ?? '' })).toEqual(next);
        expect(await page({}, { limit: 2, offset: 2 })).toEqual(next);
        expect((await page({}, {}, otherWorkspaceId)).items).toEqual(['box-9']);
      });

      it.each<readonly [SandboxFilter, readonly string[]]>([
        [{ states: ['destroyed', 'ready'] }, ['box-5', 'box-1']],
        [{ template: 'node' }, ['box-4', 'box-2']],
        [{ labels: { 'a.b"c': 'x' } }, ['box-3', 'box-1']],
        [{ labels: { 'a.b"c': 'x', team: 'other' } }, []],
        [{ namePrefix: 'box-3' }, ['box-3']],
        [{ name: 'box-3' }, ['box-3']],
        [{ name: 'box-' }, []],
        [{ namePrefix: 'box_' }, []],
        [{ namePrefix: 'b*' }, []],
        [{ namePrefix: 'Box' }, []],
        [{ search: 'OX-2' }, ['box-2']],
        [{ createdByKey: 4 }, ['box-4']],
        [{ states: [] }, []],
      ])('holds what %j asks for', async (filter, names) => {
        expect(await page(filter)).toMatchObject({ items: names, total: names.length });
      });
    });

    it('moves times of activity forward only', async () => {
      const { id, lastActivityAtMs } = sandboxIn('ready', 1);
      await stores.storage.sandboxes.insert(sandboxIn('ready', 1));
      await stores.storage.sandboxes.recordActivity(
        new Map([
          [id, lastActivityAtMs + 5],
          [sampleId(77), 1],
        ]),
      );
      await stores.storage.sandboxes.recordActivity(new Map([[id, lastActivityAtMs + 2]]));
      expect(await stores.other.sandboxes.findById(id)).toMatchObject({
        lastActivityAtMs: lastActivityAtMs + 5,
      });
    });

    it('prunes the longest destroyed first, and never one that lives', async () => {
      for (const [number, destroyedAtMs] of [30, 10, 20, 40].entries()) {
        const sandbox = sandboxIn('destroyed', number);
        await stores.storage.sandboxes.insert({ ...sandbox, destroyedAtMs } as Sandbox);
      }
      await stores.storage.sandboxes.insert(sandboxIn('stopped', 9));
      expect(await stores.storage.sandboxes.prune(40, 2)).toEqual([sampleId(1), sampleId(2)]);
      expect(await stores.storage.sandboxes.prune(40, 2)).toEqual([sampleId(0)]);
      expect(await stores.storage.sandboxes.prune(40, 2)).toEqual([]);
      expect(await stores.other.sandboxes.countByState()).toEqual({ destroyed: 1, stopped: 1 });
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
      expect(await stores.storage.sandboxes.markAllStopped(77)).toBe(6);
      expect(await stores.other.sandboxes.countByState()).toEqual({
        stopped: 7,
        destroyed: 1,
        failed: 1,
      });
      const touched = (await stores.other.sandboxes.list()).filter(
        ({ updatedAtMs }) => updatedAtMs === 77,
      );
      expect(touched).toHaveLength(6);
      expect(await stores.other.sandboxes.markAllStopped(78)).toBe(0);
    });
  });
}
