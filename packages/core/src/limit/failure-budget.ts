import { networkOf } from '../network/network-of.ts';
import { AcceptedRing } from './accepted-ring.ts';
import { takeFromRings } from './take-from-rings.ts';

/**
 * How many refused credentials, or other calls that nobody answers for, an address may send in a minute
 * before it is told to wait. Good keys are never asked: whoever shares an address with an attacker is
 * not locked out.
 */
export interface FailureBudget {
  /** Charges one failure. @returns 0, or for how long the address has spent its budget */
  charge(address: string, nowMs: number): number;
}

const widthMs = 60_000;
const standardPerMinute = 60;
const mostAddresses = 10_000;

/** One customer commonly holds a whole /64 (RFC 6177), so an IPv6 address counts as that. */
const networkBits = { ipv4: 32, ipv6: 64 };

export function createFailureBudget(perMinute = standardPerMinute): FailureBudget {
  const windows = [{ name: 'failures', limit: perMinute, widthMs }];
  // A Map remembers the order of insertion, so that the first key is the one longest unused.
  const rings = new Map<string, AcceptedRing>();
  return {
    charge(address, nowMs) {
      const network = networkOf(address, networkBits);
      const ring = rings.get(network) ?? new AcceptedRing(widthMs);
      rings.delete(network);
      rings.set(network, ring);
      if (rings.size > mostAddresses) {
        for (const oldest of rings.keys()) {
          rings.delete(oldest);
          break;
        }
      }
      const decision = takeFromRings([{ ring, windows }], nowMs);
      return decision.accepted ? 0 : decision.retryAfterMs;
    },
  };
}
