import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Storage, webhookSecret } from '@sandgate/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sampleId, sampleServerKey } from '../storage/contract/sample-records.ts';
import { openSqliteStorage } from '../storage/sqlite/open-sqlite-storage.ts';
import { createWebhookDeliverer } from './deliver-webhooks.ts';
import type { WebhookMessage } from './send-webhook.ts';
import { signWebhook } from './sign-webhook.ts';

let folder: string;
let storage: Storage;
let nowMs: number;
let sent: WebhookMessage[];
let answers: (string | null)[];
let errors: unknown[];

const open = () => openSqliteStorage({ file: join(folder, 'sandgate.db') });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sandgate-webhooks-'));
  storage = await open();
  nowMs = 1_000_000;
  sent = [];
  answers = [];
  errors = [];
});
afterEach(async () => {
  await storage.close();
  rmSync(folder, { recursive: true });
  expect(errors).toEqual([]);
});

const deliverer = (serverKey = sampleServerKey, random = 255) =>
  createWebhookDeliverer({
    webhooks: storage.webhooks,
    clock: { nowMs: () => nowMs },
    timers: { after: () => () => undefined },
    randomness: { bytes: (length) => new Uint8Array(length).fill(random) },
    serverKey: () => serverKey,
    send: async (message) => {
      sent.push(message);
      return answers.shift() ?? null;
    },
    onError: (error) => errors.push(error),
  });

const insert = () =>
  storage.webhooks.insert({
    id: sampleId(1),
    workspaceId: null,
    webhookId: sampleId(2),
    serverKeyVersion: 1,
    url: 'https://hooks.example.com/',
    body: '{"n":1}',
    createdAtMs: nowMs,
  });
const stored = async () => (await storage.webhooks.list(undefined, 1))[0];

it('signs and delivers a message once', async () => {
  await insert();
  expect(await deliverer().tick()).toBe(1);
  expect(await deliverer().tick()).toBe(0);
  const secret = webhookSecret(sampleServerKey, sampleId(2));
  expect(secret).toMatch(/^whsec_[\w-]{43}$/);
  expect(sent).toEqual([
    {
      url: 'https://hooks.example.com/',
      body: '{"n":1}',
      headers: {
        'X-Sandgate-Signature': signWebhook(secret, '{"n":1}', nowMs),
        'X-Sandgate-Delivery': sampleId(1),
      },
    },
  ]);
  expect(await stored()).toMatchObject({ state: 'delivered', attempts: 1 });
});

it('tries again after pauses that double up to an hour, ten times at most', async () => {
  await insert();
  answers = Array(10).fill('answered 500');
  const pauses: number[] = [];
  for (;;) {
    await deliverer().tick();
    const delivery = await stored();
    if (delivery?.state !== 'pending') break;
    pauses.push((delivery.nextAttemptAtMs - nowMs) / 1_000);
    nowMs = delivery.nextAttemptAtMs - 1;
    expect(await deliverer().tick()).toBe(0);
    nowMs += 1;
  }
  expect(pauses).toEqual([15, 30, 60, 120, 240, 480, 960, 1_920, 3_600]);
  expect(await stored()).toMatchObject({
    state: 'failed',
    attempts: 10,
    lastError: 'answered 500',
  });
  expect(sent).toHaveLength(10);
});

it('shortens a pause by chance to no less than half', async () => {
  await insert();
  answers = ['answered 500'];
  await deliverer(sampleServerKey, 0).tick();
  expect(await stored()).toMatchObject({ nextAttemptAtMs: nowMs + 7_500 });
});

it('takes over what a server left that died in the middle of an attempt', async () => {
  await insert();
  await storage.webhooks.claim(nowMs, nowMs + 60_000, 9);
  await storage.close();
  storage = await open();
  expect(await deliverer().tick()).toBe(0);
  nowMs += 60_000;
  expect(await deliverer().tick()).toBe(1);
  expect(await stored()).toMatchObject({ state: 'delivered', attempts: 2 });
});

it('sends nothing that it cannot sign with the secret that the receiver knows', async () => {
  await insert();
  await deliverer({ version: 2, secret: new Uint8Array(32).fill(1) }).tick();
  expect(sent).toEqual([]);
  expect(await stored()).toMatchObject({
    state: 'failed',
    lastError: expect.stringContaining('server key was replaced'),
  });
});
