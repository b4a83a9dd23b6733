import {
  type Clock,
  type Randomness,
  repeatWork,
  type ServerKey,
  type Timers,
  type WebhookDelivery,
  type WebhookStore,
  webhookSecret,
} from '@sandgate/core';
import type { WebhookMessage } from './send-webhook.ts';
import { signatureHeader, signWebhook } from './sign-webhook.ts';

export interface WebhookDelivererDependencies {
  readonly webhooks: WebhookStore;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly randomness: Randomness;
  readonly serverKey: () => ServerKey;
  /** Null, or why it failed. */
  readonly send: (message: WebhookMessage) => Promise<string | null>;
  readonly onError: (error: unknown) => void;
}

export interface WebhookDeliverer {
  /** Sends what is due, one batch. @returns how many were tried */
  tick(): Promise<number>;
  /** Ticks every few seconds until `close`. */
  start(): void;
  /** Resolves when no attempt is under way. */
  close(): Promise<void>;
}

const tickMs = 5_000;
/** Longer than an attempt can take, so that only a server that died leaves one to be taken over. */
const claimMs = 60_000;
const batchDeliveries = 8;
const maxAttempts = 10;
const firstRetryMs = 15_000;
const longestRetryMs = 3_600_000;
const keptMs = 30 * 86_400_000;
const prunedPerTick = 100;

/**
 * Sends stored messages until they are taken, at most ten times in about two and a half hours: a
 * pause after each failure that doubles from 15 seconds up to an hour, between half and all of it by
 * chance, so that receivers that come back are not met by everything at once. A message may arrive
 * twice, with the same `delivery_id`, when the server dies between the answer and taking note of it.
 */
export function createWebhookDeliverer(
  dependencies: WebhookDelivererDependencies,
): WebhookDeliverer {
  const { webhooks, clock, timers, randomness, serverKey, send, onError } = dependencies;

  const retryAfterMs = (attempts: number): number => {
    const fullMs = Math.min(longestRetryMs, firstRetryMs * 2 ** (attempts - 1));
    const [random = 0] = randomness.bytes(1);
    return Math.round(fullMs * (0.5 + random / 510));
  };

  const attempt = async (delivery: WebhookDelivery): Promise<void> => {
    const key = serverKey();
    if (delivery.serverKeyVersion !== key.version) {
      await webhooks.failed(delivery.number, {
        atMs: clock.nowMs(),
        error: 'The server key was replaced, and the secret with it. Set the webhook again',
        nextAttemptAtMs: null,
      });
      return;
    }
    const { url, body, webhookId } = delivery;
    const signature = signWebhook(webhookSecret(key, webhookId), body, clock.nowMs());
    const error = await send({
      url,
      body,
      headers: { [signatureHeader]: signature, 'X-Sandgate-Delivery': delivery.id },
    });
    const atMs = clock.nowMs();
    if (error === null) {
      await webhooks.delivered(delivery.number, atMs);
      return;
    }
    const last = delivery.attempts >= maxAttempts;
    const nextAttemptAtMs = last ? null : atMs + retryAfterMs(delivery.attempts);
    await webhooks.failed(delivery.number, { atMs, error, nextAttemptAtMs });
  };

  const round = async (): Promise<number> => {
    const nowMs = clock.nowMs();
    const due = await webhooks.claim(nowMs, nowMs + claimMs, batchDeliveries);
    await Promise.all(due.map((delivery) => attempt(delivery).catch(onError)));
    if (due.length === 0) return 0;
    await webhooks.prune(nowMs - keptMs, prunedPerTick);
    return due.length;
  };

  const rounds = repeatWork({ timers, everyMs: tickMs, work: round, onError });
  return { tick: rounds.run, start: () => rounds.start(), close: rounds.close };
}
