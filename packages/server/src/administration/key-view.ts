import {
  type ApiKey,
  type KeyRestrictions,
  type KeyState,
  keyState,
  type RequestLimitOverrides,
  type RequestLimits,
} from '@sandgate/core';

/** A key as its administrators see it: never its text. */
export interface ApiKeyView {
  readonly number: number;
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** Slug of its workspace, or `*` for all. */
  readonly namespace: string;
  readonly scopes: readonly string[];
  /** Empty: from anywhere. */
  readonly addressAllowList: readonly string[];
  /** What it overrides of its plan. */
  readonly limits: RequestLimitOverrides;
  readonly restrictions: KeyRestrictions;
  /** Number of the key that it is a child of. */
  readonly parentNumber: number | null;
  readonly state: KeyState;
  /** Prefix and last four characters, as in `msb_…a1b2`. */
  readonly display: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly lastUsedAtMs: number | null;
  readonly usageCount: number;
}

export interface ApiKeyDetails extends ApiKeyView {
  /** Its own limits, else its plan's, and never more than its parent's. */
  readonly limitsInForce: RequestLimits;
}

export function keyView(
  key: ApiKey,
  slugs: ReadonlyMap<string, string>,
  nowMs: number,
): ApiKeyView {
  return {
    number: key.number,
    id: key.id,
    name: key.name,
    description: key.description,
    namespace: key.workspaceId === null ? '*' : (slugs.get(key.workspaceId) ?? key.workspaceId),
    scopes: key.scopes,
    addressAllowList: key.addressAllowList,
    limits: key.limits,
    restrictions: key.restrictions,
    parentNumber: key.parentNumber,
    state: keyState(key, nowMs),
    display: `${key.prefix}…${key.lastFour}`,
    createdAtMs: key.createdAtMs,
    expiresAtMs: key.expiresAtMs,
    lastUsedAtMs: key.lastUsedAtMs,
    usageCount: key.usageCount,
  };
}
