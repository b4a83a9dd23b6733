import type { RequestLimitOverrides } from '../limit/request-limits.ts';
import type { KeyRestrictions } from './key-restrictions.ts';
import type { KeyPrefix } from './key-text.ts';
import type { GrantedScope } from './scope.ts';

/** An API key as it is stored: everything but its text. Times are epoch milliseconds. */
export interface ApiKey {
  /** 24 hex digits. */
  readonly id: string;
  /** Small integer id, unique on this server. */
  readonly number: number;
  /** 1 for a new key, one more after each change but use. What a rotation compares before it swaps. */
  readonly revision: number;
  /** Stays the same over rotations. Limits and counters belong to it. */
  readonly lineageId: string;
  readonly name: string;
  readonly description: string;
  readonly prefix: KeyPrefix;
  /** Last four characters of the newest text, for display. */
  readonly lastFour: string;
  /** Null: every workspace (`*`), which only the operator's own machine hands out. */
  readonly workspaceId: string | null;
  /** The person whose role bounds what the key may do. Null: nobody's, as those of the operator. */
  readonly ownerId: string | null;
  /** It reaches every workspace of its owner, and without being told which, this one. */
  readonly followsOwner: boolean;
  readonly scopes: readonly GrantedScope[];
  /** IPv4 or IPv6 addresses or CIDR blocks. Empty: from anywhere. */
  readonly addressAllowList: readonly string[];
  /** Null: never. */
  readonly expiresAtMs: number | null;
  readonly enabled: boolean;
  readonly createdAtMs: number;
  readonly lastUsedAtMs: number | null;
  readonly usageCount: number;
  readonly revokedAtMs: number | null;
  /**
   * Number of the key that this one is a child of. It never reaches further than its parent, and
   * dies with it. Null: nobody's child.
   */
  readonly parentNumber: number | null;
  /** What it overrides of its plan's limits. */
  readonly limits: RequestLimitOverrides;
  readonly restrictions: KeyRestrictions;
  /** Its owner's own notes: a small JSON object that means nothing to Sandgate. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

export type KeyState = 'active' | 'disabled' | 'expired' | 'revoked';

export function keyState(
  key: Pick<ApiKey, 'enabled' | 'expiresAtMs' | 'revokedAtMs'>,
  nowMs: number,
): KeyState {
  if (key.revokedAtMs !== null) return 'revoked';
  if (key.expiresAtMs !== null && key.expiresAtMs <= nowMs) return 'expired';
  return key.enabled ? 'active' : 'disabled';
}

/** One text of a key. A key has one, and more only while rotations overlap. */
export interface ApiKeySecret {
  readonly digest: Uint8Array;
  readonly keyId: string;
  readonly serverKeyVersion: number;
  readonly createdAtMs: number;
  /** End of a rotation's overlap; null for the newest text. */
  readonly validUntilMs: number | null;
}
