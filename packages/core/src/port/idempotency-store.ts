/** Which request a key stands for: the same key of another owner, method or path is another request. */
export interface IdempotencyScope {
  /** Who asks, as in `key:12`. */
  readonly owner: string;
  readonly method: string;
  readonly path: string;
  readonly key: string;
}

/** What was answered, to be answered again. */
export interface StoredAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type IdempotencyClaim =
  /** The caller does the work, and says how it ended by `finish` or `abandon`. */
  | { readonly kind: 'begun' }
  /** Another call does it now, of a request with that fingerprint. */
  | { readonly kind: 'running'; readonly fingerprint: string }
  | { readonly kind: 'done'; readonly fingerprint: string; readonly answer: StoredAnswer };

/** Remembers which requests were carried out, so that one that is sent again is not done again. */
export interface IdempotencyStore {
  /**
   * Claims a request for its caller, unless it is known and has not expired. Of any number at once,
   * one begins. `fingerprint` is a digest of the body, for the caller to compare.
   */
  begin(
    scope: IdempotencyScope,
    request: {
      readonly fingerprint: string;
      readonly nowMs: number;
      readonly expiresAtMs: number;
    },
  ): Promise<IdempotencyClaim>;
  /** Keeps the answer of a request that was begun. */
  finish(scope: IdempotencyScope, answer: StoredAnswer): Promise<void>;
  /** Forgets a request that was begun and came to nothing, so that it can be sent again. */
  abandon(scope: IdempotencyScope): Promise<void>;
  /** After a crash nothing is in progress any more. @returns how many were forgotten */
  abandonAll(): Promise<number>;
  /** Removes expired ones, at most so many. @returns how many */
  prune(nowMs: number, most: number): Promise<number>;
}
