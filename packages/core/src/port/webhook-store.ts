export interface NewWebhookDelivery {
  /** 24 hex digits, the same in every attempt. */
  readonly id: string;
  readonly workspaceId: string | null;
  readonly webhookId: string;
  /** The server key that the webhook's secret was made of. */
  readonly serverKeyVersion: number;
  readonly url: string;
  /** JSON, sent as it stands. */
  readonly body: string;
  readonly createdAtMs: number;
}

export const webhookStates = ['pending', 'delivered', 'failed'] as const;

export type WebhookState = (typeof webhookStates)[number];

export interface WebhookDelivery extends NewWebhookDelivery {
  readonly number: number;
  readonly state: WebhookState;
  /** How many were begun. */
  readonly attempts: number;
  readonly nextAttemptAtMs: number;
  readonly lastError: string | null;
  readonly endedAtMs: number | null;
}

/** What is to be sent to webhooks. It survives a restart. */
export interface WebhookStore {
  insert(delivery: NewWebhookDelivery): Promise<void>;
  /**
   * Takes up to `limit` deliveries that are due, the longest due first, and counts an attempt for
   * each. Nobody else gets them until `untilMs`: by then the attempt has ended, or its process has.
   */
  claim(nowMs: number, untilMs: number, limit: number): Promise<readonly WebhookDelivery[]>;
  /** When the next one is due; null when none is pending. */
  nextDueMs(): Promise<number | null>;
  delivered(number: number, atMs: number): Promise<void>;
  /** Tries again at `nextAttemptAtMs`; null gives it up. */
  failed(
    number: number,
    failure: {
      readonly atMs: number;
      readonly error: string;
      readonly nextAttemptAtMs: number | null;
    },
  ): Promise<void>;
  /** Newest first. */
  list(
    workspaceId: string | undefined,
    limit: number,
    filter?: {
      readonly state?: WebhookState | undefined;
      readonly beforeNumber?: number | undefined;
    },
  ): Promise<readonly WebhookDelivery[]>;
  /** Removes up to `most` that ended before `beforeMs`. @returns how many */
  prune(beforeMs: number, most: number): Promise<number>;
}
