import { createHash } from 'node:crypto';
import type { Clock, Randomness, SessionTokens } from '@sandgate/core';

/** Codes that stand for the tokens of a session, for a minute and once. */
export interface OneTimeCodes {
  issue(tokens: SessionTokens): string;
  /** The tokens, and the code is gone. Null for one that nobody has. */
  redeem(code: string): SessionTokens | null;
}

const lifetimeMs = 60_000;
const mostCodes = 10_000;

/** In memory: a code that a restart loses costs its user another click. */
export function createOneTimeCodes(parts: {
  readonly clock: Clock;
  readonly randomness: Randomness;
}): OneTimeCodes {
  const { clock, randomness } = parts;
  const codes = new Map<string, { readonly tokens: SessionTokens; readonly expiresAtMs: number }>();
  const digest = (code: string): string => createHash('sha256').update(code).digest('base64');
  return {
    issue(tokens) {
      const code = `code_${Buffer.from(randomness.bytes(32)).toString('hex')}`;
      codes.set(digest(code), { tokens, expiresAtMs: clock.nowMs() + lifetimeMs });
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
      return found !== undefined && found.expiresAtMs > clock.nowMs() ? found.tokens : null;
    },
  };
}
