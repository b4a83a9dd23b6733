import { AcceptedRing } from '../limit/accepted-ring.ts';
import type { LimitWindow } from '../limit/limit-window.ts';
import { type ChargedRing, takeFromRings } from '../limit/take-from-rings.ts';
import { networkOf } from '../network/network-of.ts';

/**
 * How often passwords may be tried: for one account, wherever the tries come from, and from one
 * network, whatever the accounts. It holds up logins only; sessions that are there go on.
 */
export interface LoginThrottle {
  /**
   * Charges a try to where it comes from, before anything of it is looked at.
   * @returns 0, or the exact wait after which a try is taken; then nothing was charged
   */
  arrive(address: string, nowMs: number): number;
  /**
   * Charges it to its account before the password is looked at, so that tries at once are counted too.
   * @returns as `arrive` does
   */
  attempt(account: string, nowMs: number): number;
  /** The password was right: the account's tries before it are forgotten. */
  succeeded(account: string): void;
}

export interface LoginLimits {
  readonly account: Omit<LimitWindow, 'name'>;
  readonly address: Omit<LimitWindow, 'name'>;
}

export const standardLoginLimits: LoginLimits = {
  account: { limit: 10, widthMs: 300_000 },
  address: { limit: 60, widthMs: 60_000 },
};

const mostRings = 10_000;

/** One customer commonly holds a whole /64 (RFC 6177), so an IPv6 address counts as that. */
const networkBits = { ipv4: 32, ipv6: 64 };

export function createLoginThrottle(limits: LoginLimits = standardLoginLimits): LoginThrottle {
  const accounts = new Map<string, AcceptedRing>();
  const addresses = new Map<string, AcceptedRing>();
  return {
    arrive(address, nowMs) {
      const network = networkOf(address, networkBits);
      return take(charged(addresses, network, { name: 'address', ...limits.address }), nowMs);
    },
    attempt(account, nowMs) {
      return take(charged(accounts, account, { name: 'account', ...limits.account }), nowMs);
    },
    succeeded(account) {
      accounts.delete(account);
    },
  };
}

function take(ring: ChargedRing, nowMs: number): number {
  const decision = takeFromRings([ring], nowMs);
  return decision.accepted ? 0 : decision.retryAfterMs;
}

/** A Map remembers the order of insertion, so that the first ring is the one longest unused. */
function charged(rings: Map<string, AcceptedRing>, name: string, window: LimitWindow): ChargedRing {
  const ring = rings.get(name) ?? new AcceptedRing(window.widthMs);
  rings.delete(name);
  rings.set(name, ring);
  if (rings.size > mostRings) {
    for (const oldest of rings.keys()) {
      rings.delete(oldest);
      break;
    }
  }
  return { ring, windows: [window] };
}
