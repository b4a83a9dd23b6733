import { createHash } from 'node:crypto';
import type { Clock, Randomness } from '@sandgate/core';

/** Codes that stand for a user, for a minute and once. */
export interface OneTimeCodes {
  issue(userId: string): string;
  /** The user's id, and the code is gone. Null for one that nobody has. */
  redeem(code: string): string | null;
}

const lifetimeMs = 60_000;
const mostCodes = 10_000;

/** In memory: a code that a restart loses costs its user another click. */
export function createOneTimeCodes(parts: {
  readonly clock: Clock;
  readonly randomness: Randomness;
}): OneTimeCodes {
  const { clock, randomness } = parts;
  const codes = new Map<string, { readonly userId: string; readonly expiresAtMs: number }>();
  const digest = (code: string): string => createHash('sha256').update(code).digest('base64');
  return {
    issue(userId) {
      const code = `code_${Buffer.from(randomness.bytes(32)).toString('hex')}`;
      codes.set(digest(code), { userId, expiresAtMs: clock.nowMs() + lifetimeMs });
      if (codes.size > mostCodes) {
        for (const oldest of codes.keys()) {
          codes.delete(oldest);
          break;
        }
      }
      return code;
    },
    redeem(code) {
      const name = digest(code);
      const found = codes.get(name);
      codes.delete(name);
      return found !== undefined && found.expiresAtMs > clock.nowMs() ? found.userId : null;
    },
  };
}
