import type { NewTicket } from '@sandgate/core';
import { beforeEach, describe, expect, it } from 'vitest';
import type { StoresUnderTest } from '../storage-contract.ts';
import { sampleWorkspace } from './sample-records.ts';

export function describeTickets(stores: StoresUnderTest): void {
  describe('tickets', () => {
    const workspaceId = sampleWorkspace(1).id;
    const otherWorkspaceId = sampleWorkspace(2).id;
    const ticket = (changes: Partial<NewTicket> = {}): NewTicket => ({
      workspaceId,
      subject: 'Too many calls',
      body: 'grüße, 鍵',
      openedBy: { kind: 'key', keyNumber: 7 },
      createdAtMs: 10,
      ...changes,
    });

    beforeEach(async () => {
      await stores.storage.workspaces.insertIfAbsent(sampleWorkspace(1));
      await stores.storage.workspaces.insertIfAbsent(sampleWorkspace(2));
    });

    it('gives a ticket back whole, open, with the next number, on every connection', async () => {
      const first = await stores.storage.tickets.create(ticket());
      const second = await stores.other.tickets.create(ticket());
      expect(second.number).toBeGreaterThan(first.number);
      expect(await stores.other.tickets.find(workspaceId, first.number)).toEqual({
        ...ticket(),
        number: first.number,
        status: 'open',
        alertNumber: null,
        updatedAtMs: 10,
        resolvedAtMs: null,
      });
    });

    it('shows nothing of a workspace to another one, and everything without one', async () => {
      const { tickets } = stores.storage;
      const mine = await tickets.create(ticket());
      const servers = await tickets.create(ticket({ workspaceId: null }));
      const comment = { author: { kind: 'operator' }, text: 'hi', createdAtMs: 11 } as const;
      await tickets.comment(workspaceId, mine.number, comment);
      for (const { number } of [mine, servers]) {
        expect(await tickets.find(otherWorkspaceId, number)).toBeNull();
        expect(await tickets.setStatus(otherWorkspaceId, number, 'resolved', 12)).toBeNull();
        expect(await tickets.comment(otherWorkspaceId, number, comment)).toBeNull();
        expect(await tickets.comments(otherWorkspaceId, number, { limit: 9 })).toEqual([]);
      }
      expect((await tickets.list({ workspaceId: otherWorkspaceId }, { limit: 9 })).tickets).toEqual(
        [],
      );
      expect(await tickets.recent(otherWorkspaceId, 9)).toEqual([]);
      expect(await tickets.countByStatus(otherWorkspaceId)).toEqual({
        open: 0,
        in_progress: 0,
        resolved: 0,
      });
      expect(await tickets.countByStatus(undefined)).toMatchObject({ open: 2 });
      expect(await tickets.recent(undefined, 9)).toHaveLength(2);
    });

    it('lists newest first, in pages, by status', async () => {
      const { tickets } = stores.storage;
      const numbers: number[] = [];
      for (let index = 0; index < 5; index += 1) {
        numbers.unshift((await tickets.create(ticket())).number);
      }
      const first = await tickets.list({ workspaceId }, { limit: 2 });
      expect(first.tickets.map(({ number }) => number)).toEqual(numbers.slice(0, 2));
      const second = await tickets.list(
        { workspaceId },
        { limit: 3, beforeNumber: first.nextBeforeNumber ?? 0 },
      );
      expect(second.tickets.map(({ number }) => number)).toEqual(numbers.slice(2));
      expect(second.nextBeforeNumber).toBeNull();
      await tickets.setStatus(workspaceId, numbers[3] ?? 0, 'in_progress', 20);
      const working = await tickets.list({ status: 'in_progress' }, { limit: 9 });
      expect(working.tickets.map(({ number }) => number)).toEqual([numbers[3]]);
    });

    it('sets and clears the time of resolution with the status, and counts by it', async () => {
      const { number } = await stores.storage.tickets.create(ticket());
      const set = (status: 'open' | 'resolved', atMs: number) =>
        stores.storage.tickets.setStatus(workspaceId, number, status, atMs);
      expect(await set('resolved', 20)).toMatchObject({ resolvedAtMs: 20, updatedAtMs: 20 });
      expect(await set('resolved', 30)).toMatchObject({ resolvedAtMs: 20, updatedAtMs: 20 });
      expect(await stores.other.tickets.countByStatus(workspaceId)).toEqual({
        open: 0,
        in_progress: 0,
        resolved: 1,
      });
      expect(await set('open', 40)).toMatchObject({ resolvedAtMs: null, updatedAtMs: 40 });
    });

    it('keeps comments in their order, and moves the ticket’s time of change', async () => {
      const { tickets } = stores.storage;
      const { number } = await tickets.create(ticket());
      for (const createdAtMs of [20, 30, 40]) {
        await tickets.comment(undefined, number, {
          author: { kind: 'server' },
          text: `at ${createdAtMs}`,
          createdAtMs,
        });
      }
      const [first, ...rest] = await stores.other.tickets.comments(workspaceId, number, {
        limit: 9,
      });
      expect(first).toMatchObject({
        ticketNumber: number,
        text: 'at 20',
        author: { kind: 'server' },
      });
      expect(
        await tickets.comments(workspaceId, number, { limit: 9, afterNumber: first?.number }),
      ).toEqual(rest);
      expect(await tickets.find(workspaceId, number)).toMatchObject({ updatedAtMs: 40 });
      expect(
        await tickets.comment(undefined, 999, {
          author: { kind: 'server' },
          text: '',
          createdAtMs: 1,
        }),
      ).toBeNull();
    });
  });
}
