/** What bounds the life of a sandbox by itself. Every end destroys it, and says why. */
export interface SandboxLifetime {
  /** The moment at which it is destroyed, in whatever state it is. Null: none. */
  readonly expiresAtMs: number | null;
  /** Destroyed when nothing was asked of it for so long. A call in progress is activity. Null: never. */
  readonly idleTimeoutMs: number | null;
  /** Destroyed so long after it was created, however it is extended. Null: never. */
  readonly maxLifetimeMs: number | null;
  /** Destroyed when it has been paused for so long. Null: never. */
  readonly pausedTimeoutMs: number | null;
  /** Destroyed when its main command ends, or when it stops for any other reason. */
  readonly oneShot: boolean;
}

/** A life without an end of its own. */
export const endlessLifetime: SandboxLifetime = {
  expiresAtMs: null,
  idleTimeoutMs: null,
  maxLifetimeMs: null,
  pausedTimeoutMs: null,
  oneShot: false,
};

export const destroyReasons = [
  /** Somebody asked for it. */
  'user',
  'expired',
  'idle',
  'max_lifetime',
  'one_shot',
  'paused_too_long',
  /** It never became ready. */
  'failed',
  /** What it belonged to is gone, as the key that it was bound to. */
  'parent',
] as const;

export type DestroyReason = (typeof destroyReasons)[number];
