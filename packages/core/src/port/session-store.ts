import type { RecordChange } from '../audit/audited-change.ts';
import type { Session } from '../session/session.ts';
import type { User } from '../user/user.ts';
import type { Awaitable } from './awaitable.ts';

/** What came of a refresh token that was shown. */
export type RefreshOutcome =
  | { readonly kind: 'refreshed'; readonly session: Session; readonly user: User }
  /** Another request with the same token came first, a moment ago. The session lives. */
  | { readonly kind: 'raced' }
  /** It was used long before, so that somebody holds a copy. The session is ended by this. */
  | { readonly kind: 'reused'; readonly session: Session }
  /** Nobody has it, or its session or its user has ended. */
  | { readonly kind: 'refused' };

export interface RefreshRequest {
  /** Of the token that was shown, and of the one that takes its place. */
  readonly digest: Uint8Array;
  readonly nextDigest: Uint8Array;
  readonly nowMs: number;
  readonly refreshMs: number;
  /** A token may be shown twice within this time. */
  readonly raceMs: number;
}

export interface SessionWithUser {
  readonly session: Session;
  readonly user: User;
}

export interface SessionStore {
  /** Stores a session with the digest of its first refresh token. */
  insert(session: Session, digest: Uint8Array): Promise<void>;
  /** A session that has not ended and its user, whatever the time and whether enabled or not. */
  findWithUser(id: string): Awaitable<SessionWithUser | null>;
  /** Exchanges one refresh token for the next, in one step. */
  refresh(request: RefreshRequest): Promise<RefreshOutcome>;
  /** Those of a user that live, newest first. */
  listLiving(userId: string, nowMs: number): Promise<readonly Session[]>;
  /** Final. False when the user has no such session, or it has ended. */
  end(userId: string, id: string, nowMs: number, record?: RecordChange): Promise<boolean>;
  /** Ends the session of a refresh token, used or not. Null when there is nothing to end. */
  endByDigest(digest: Uint8Array, nowMs: number): Promise<Session | null>;
  /** Every living session of a user but one. Returns how many. */
  endAll(
    userId: string,
    nowMs: number,
    options?: {
      readonly except?: string | undefined;
      /** Told how many. Left out when there was none. */
      readonly record?: RecordChange<number> | undefined;
    },
  ): Promise<number>;
  /** Removes up to `most` that ended or expired before a time. Returns whether more are left. */
  prune(beforeMs: number, most: number): Promise<boolean>;
}
