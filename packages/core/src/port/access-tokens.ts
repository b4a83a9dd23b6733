import type { Awaitable } from './awaitable.ts';

/** What an access token says, once its signature is checked. */
export interface AccessClaims {
  readonly userId: string;
  readonly sessionId: string;
  readonly expiresAtMs: number;
}

/** Makes and reads the short tokens that stand for a session. */
export interface AccessTokens {
  issue(claims: Pick<AccessClaims, 'userId' | 'sessionId'>): Promise<string>;
  /**
   * Null for whatever was not issued here, or has expired. Says nothing about the session: that it
   * lives is the caller's part. Answers at once for a token that it has seen before.
   */
  verify(text: string): Awaitable<AccessClaims | null>;
}
