import {
  type ApiKey,
  type Clock,
  type Counters,
  createAlertRunner,
  limitAccounts,
  type Randomness,
  type RequestLimits,
  type ServerKey,
  type Storage,
  type Timers,
  type Workspace,
} from '@sandgate/core';
import type { OutboundPolicy } from './outbound/outbound-target.ts';
import { resolveHost } from './outbound/resolve-host.ts';
import { createWebhookDeliverer } from './webhook/deliver-webhooks.ts';
import { sendWebhook } from './webhook/send-webhook.ts';

export interface AlertingParts {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly randomness: Randomness;
  readonly serverKey: () => ServerKey;
  readonly counters: Pick<Counters, 'look'>;
  readonly limitsOf: (key: ApiKey, workspace: Workspace | null) => RequestLimits;
  readonly webhookPolicy: OutboundPolicy;
  readonly onError: (error: unknown) => void;
}

export interface Alerting {
  /** Takes note of an accepted call, and never waits. */
  readonly observeAddress: (keyNumber: number, address: string) => void;
  start(): void;
  /** Resolves when nothing of it runs any more. */
  close(): Promise<void>;
}

const webhookTimeoutMs = 10_000;

/** Looks at keys, and tells webhooks, in the background. */
export function createAlerting(parts: AlertingParts): Alerting {
  const { storage, counters, clock } = parts;
  const runner = createAlertRunner({
    ...parts,
    usage: storage.usage,
    async limitsOf(key) {
      const workspace =
        key.workspaceId === null ? null : await storage.workspaces.findById(key.workspaceId);
      const accounts = limitAccounts([key], (each) => parts.limitsOf(each, workspace));
      return await counters.look(accounts, clock.nowMs());
    },
  });
  const deliverer = createWebhookDeliverer({
    ...parts,
    webhooks: storage.webhooks,
    send: (message) =>
      sendWebhook(message, {
        policy: parts.webhookPolicy,
        resolve: resolveHost,
        timeoutMs: webhookTimeoutMs,
      }),
  });
  return {
    observeAddress: runner.observeAddress,
    start() {
      runner.start();
      deliverer.start();
    },
    async close() {
      await Promise.all([runner.close(), deliverer.close()]);
    },
  };
}
