import type { Awaitable } from './awaitable.ts';

/** What the token of a session says: one of a person who has logged in. */
export interface SessionClaims {
  readonly kind: 'session';
  readonly userId: string;
  readonly sessionId: string;
  readonly expiresAtMs: number;
}

/** What the token of a program says that a person has let in by OAuth. */
export interface GrantClaims {
  readonly kind: 'grant';
  /** Whose key the token stands for. See `grantKeyText`. */
  readonly grantId: string;
  /** Path of the only resource that it opens (RFC 8707), as in `/mcp`. */
  readonly resource: string;
  readonly expiresAtMs: number;
}

/** What an access token says, once its signature is checked. */
export type AccessClaims = SessionClaims | GrantClaims;

/** Makes and reads the short tokens that stand for a session, and reads those of a grant. */
export interface AccessTokens {
  issue(claims: Pick<SessionClaims, 'userId' | 'sessionId'>): Promise<string>;
  /**
   * Null for whatever was not issued here, or has expired. Says nothing about the session or grant:
   * that it lives is the caller's part. Answers at once for a token that it has seen before.
   */
  verify(text: string): Awaitable<AccessClaims | null>;
}
