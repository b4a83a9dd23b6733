import type { RequestLimitOverrides, RequestLimits } from '../limit/request-limits.ts';
import { addressAllowed, allowListProblem } from './address-allow-list.ts';
import type { ApiKey } from './api-key.ts';
import { intersectRestrictions, restrictionsBeyond } from './narrow-restrictions.ts';
import { grants, sharedScopes } from './scope.ts';

/** How far a key reaches. A child reaches no further than its parent in any of these. */
export type KeyRights = Pick<
  ApiKey,
  'scopes' | 'expiresAtMs' | 'addressAllowList' | 'limits' | 'restrictions'
>;

/**
 * Matches no peer: the unspecified address is never a source (RFC 4291, 2.5.2). Stands for "from
 * nowhere", since an empty list means "from anywhere".
 */
const nowhere = '::/128';

/** Whether every address of one entry is in another. */
function within(inner: string, outer: string): boolean {
  const bitsOf = (entry: string): number => {
    const [address = '', bits] = entry.split('/');
    return bits === undefined ? (address.includes(':') ? 128 : 32) : Number(bits);
  };
  const sameFamily = inner.includes(':') === outer.includes(':');
  const [network = ''] = inner.split('/');
  return sameFamily && bitsOf(inner) >= bitsOf(outer) && addressAllowed([outer], network);
}

/** CIDR blocks are nested or apart, so that of each pair the narrower one is what they share. */
function intersectAddresses(one: readonly string[], other: readonly string[]): readonly string[] {
  if (one.length === 0) return other;
  if (other.length === 0) return one;
  const shared = one.flatMap((entry) =>
    other.flatMap((against) => {
      if (within(entry, against)) return [entry];
      return within(against, entry) ? [against] : [];
    }),
  );
  return shared.length === 0 ? [nowhere] : [...new Set(shared)];
}

function lowerLimits(
  one: RequestLimitOverrides,
  other: RequestLimitOverrides,
): RequestLimitOverrides {
  const lowest: { -readonly [Name in keyof RequestLimitOverrides]: RequestLimitOverrides[Name] } = {
    ...other,
    ...one,
  };
  for (const name of Object.keys(other) as (keyof RequestLimits)[]) {
    const [mine = null, theirs = null] = [lowest[name], other[name]];
    lowest[name] = mine === null ? theirs : theirs === null ? mine : Math.min(mine, theirs);
  }
  return lowest;
}

/** The rights that both have. */
export function intersectRights(one: KeyRights, other: KeyRights): KeyRights {
  const expiries = [one.expiresAtMs, other.expiresAtMs].filter((time) => time !== null);
  return {
    scopes: sharedScopes(one.scopes, other.scopes),
    expiresAtMs: expiries.length === 0 ? null : Math.min(...expiries),
    addressAllowList: intersectAddresses(one.addressAllowList, other.addressAllowList),
    limits: lowerLimits(one.limits, other.limits),
    restrictions: intersectRestrictions(one.restrictions, other.restrictions),
  };
}

/** Rights with their limits resolved: a key's own where it has one, else its plan's. */
export interface ResolvedRights extends Omit<KeyRights, 'limits'> {
  readonly limits: RequestLimits;
}

/** Everything in which one set of rights reaches further than another, as parts of a sentence. */
export function rightsBeyond(wanted: ResolvedRights, bound: ResolvedRights): readonly string[] {
  const beyond: string[] = [];
  const scopes = wanted.scopes.filter((scope) => !grants(bound.scopes, scope));
  if (scopes.length > 0) beyond.push(`the scopes ${scopes.join(', ')}`);
  if (
    bound.expiresAtMs !== null &&
    (wanted.expiresAtMs === null || wanted.expiresAtMs > bound.expiresAtMs)
  ) {
    beyond.push('a later expiry');
  }
  const outside = (entry: string): boolean =>
    allowListProblem(entry) !== null ||
    !bound.addressAllowList.some((against) => within(entry, against));
  if (
    bound.addressAllowList.length > 0 &&
    (wanted.addressAllowList.length === 0 || wanted.addressAllowList.some(outside))
  ) {
    beyond.push('other addresses');
  }
  for (const name of Object.keys(bound.limits) as (keyof RequestLimits)[]) {
    const [limit, most] = [wanted.limits[name], bound.limits[name]];
    if (most !== null && (limit === null || limit > most)) beyond.push(`a higher limit (${name})`);
  }
  beyond.push(...restrictionsBeyond(wanted.restrictions, bound.restrictions));
  return beyond;
}
