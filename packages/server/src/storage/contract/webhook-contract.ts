import type { NewWebhookDelivery } from '@sandgate/core';
import { beforeEach, describe, expect, it } from 'vitest';
import type { StoresUnderTest } from '../storage-contract.ts';
import { sampleId, sampleWorkspace } from './sample-records.ts';

export function describeWebhooks(stores: StoresUnderTest): void {
  describe('webhooks', () => {
    const workspaceId = sampleWorkspace(1).id;
    const delivery = (number: number, createdAtMs = 100): NewWebhookDelivery => ({
      id: sampleId(number),
      workspaceId,
      webhookId: sampleId(99),
      serverKeyVersion: 1,
      url: 'https://hooks.example.com/',
      body: '{"n":1}',
      createdAtMs,
    });

    beforeEach(async () => {
      await stores.storage.workspaces.insertIfAbsent(sampleWorkspace(1));
    });

    it('gives a due delivery to one of two who claim it, and to nobody until the time it set', async () => {
      await stores.storage.webhooks.insert(delivery(1));
      expect(await stores.storage.webhooks.claim(99, 500, 9)).toEqual([]);
      const claimed = await Promise.all([
        stores.storage.webhooks.claim(100, 500, 9),
        stores.other.webhooks.claim(100, 500, 9),
      ]);
      expect(claimed.flat()).toMatchObject([
        { ...delivery(1), state: 'pending', attempts: 1, nextAttemptAtMs: 500, lastError: null },
      ]);
      expect(await stores.other.webhooks.claim(499, 900, 9)).toEqual([]);
      expect(await stores.other.webhooks.nextDueMs()).toBe(500);
      expect(await stores.other.webhooks.claim(500, 900, 9)).toMatchObject([{ attempts: 2 }]);
    });

    it('claims the longest due first, no more than asked for', async () => {
      for (const [number, atMs] of [
        [1, 30],
        [2, 10],
        [3, 20],
      ] as const) {
        await stores.storage.webhooks.insert(delivery(number, atMs));
      }
      const claimed = await stores.other.webhooks.claim(100, 500, 2);
      expect(claimed.map(({ id }) => id)).toEqual([sampleId(2), sampleId(3)]);
    });

    it('keeps how each one ended, and lets nothing change it afterwards', async () => {
      const { webhooks } = stores.storage;
      for (const number of [1, 2, 3]) await webhooks.insert(delivery(number));
      const [first, second, third] = await webhooks.claim(100, 500, 9);
      await webhooks.delivered(first?.number ?? 0, 200);
      await webhooks.failed(first?.number ?? 0, { atMs: 210, error: 'late', nextAttemptAtMs: 300 });
      const failure = { atMs: 200, error: 'answered 500' };
      await webhooks.failed(second?.number ?? 0, { ...failure, nextAttemptAtMs: 300 });
      await webhooks.failed(third?.number ?? 0, { ...failure, nextAttemptAtMs: null });
      expect(await stores.other.webhooks.list(workspaceId, 9)).toMatchObject([
        { id: sampleId(3), state: 'failed', endedAtMs: 200, lastError: 'answered 500' },
        { id: sampleId(2), state: 'pending', endedAtMs: null, nextAttemptAtMs: 300 },
        { id: sampleId(1), state: 'delivered', endedAtMs: 200, lastError: null },
      ]);
      const numbers = (await webhooks.list(undefined, 9)).map(({ number }) => number);
      expect(
        (await stores.other.webhooks.list(workspaceId, 9, { state: 'failed' })).map(({ id }) => id),
      ).toEqual([sampleId(3)]);
      const older = { beforeNumber: numbers[0] };
      expect((await webhooks.list(workspaceId, 1, older)).map(({ id }) => id)).toEqual([
        sampleId(2),
      ]);
      expect(await webhooks.claim(1_000, 2_000, 9)).toMatchObject([{ id: sampleId(2) }]);
    });

    it('removes what ended long ago, and never what is pending', async () => {
      const { webhooks } = stores.storage;
      for (const number of [1, 2, 3]) await webhooks.insert(delivery(number));
      const [first, second] = await webhooks.claim(100, 500, 2);
      await webhooks.delivered(first?.number ?? 0, 200);
      await webhooks.delivered(second?.number ?? 0, 300);
      expect(await webhooks.prune(300, 9)).toBe(1);
      expect(await webhooks.prune(1_000, 9)).toBe(1);
      expect(await stores.other.webhooks.list(undefined, 9)).toMatchObject([{ id: sampleId(3) }]);
    });
  });
}
