import {
  type Clock,
  openSealedText,
  type Randomness,
  type ServerKey,
  type SignInSecrets,
  sealText,
} from '@sandgate/core';

/** A sign-in that has begun, in one browser. */
export interface SignInAttempt extends SignInSecrets {
  readonly provider: string;
  /** One of the allowed addresses. */
  readonly returnTo: string;
  /**
   * What comes back in its fragment: tokens, or a code that is exchanged for them once. `page`: to the
   * page where programs are let in, with a cookie.
   */
  readonly answer: 'tokens' | 'code' | 'page';
  /** The session that adds this identity to its account; null for a login. */
  readonly linkSessionId: string | null;
}

export interface SignInAttempts {
  begin(attempt: Omit<SignInAttempt, keyof SignInSecrets>): {
    readonly attempt: SignInAttempt;
    /** For a cookie of the browser: whoever has not begun a sign-in cannot end one. */
    readonly sealed: string;
  };
  /** Null for what was not begun here, was begun too long ago, or for another provider. */
  open(sealed: string, provider: string): SignInAttempt | null;
}

const lifetimeMs = 600_000;
const purpose = 'sign-in attempts';

/** Kept by the browser, encrypted, and by nobody else. */
export function createSignInAttempts(parts: {
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly serverKey: () => ServerKey;
}): SignInAttempts {
  const { clock, randomness, serverKey } = parts;
  const secret = (): string => Buffer.from(randomness.bytes(32)).toString('base64url');
  return {
    begin(wanted) {
      const attempt = { ...wanted, state: secret(), nonce: secret(), codeVerifier: secret() };
      const text = JSON.stringify({ ...attempt, expiresAtMs: clock.nowMs() + lifetimeMs });
      const about = attempt.provider;
      const sealed = sealText(text, { serverKey: serverKey(), purpose, about }, randomness);
      return { attempt, sealed: sealed.toString('base64url') };
    },
    open(sealed, provider) {
      try {
        const bytes = Buffer.from(sealed, 'base64url');
        const to = { serverKey: serverKey(), purpose, about: provider };
        const { expiresAtMs, ...attempt } = JSON.parse(openSealedText(bytes, to));
        return expiresAtMs > clock.nowMs() ? attempt : null;
      } catch {
        return null;
      }
    },
  };
}
