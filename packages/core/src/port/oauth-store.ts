/** What the authorization server keeps, by its kinds, as in `RefreshToken`. */
export interface OauthRecord {
  readonly kind: string;
  /** Digest of what is a secret, and else the id itself. Unique within its kind. */
  readonly id: string;
  /** Of the grant that it belongs to and ends with. */
  readonly grantId: string | null;
  /** Of the person whose it is. */
  readonly userId: string | null;
  /** JSON. Holds no secret. */
  readonly payload: string;
  /** Null: it stays. */
  readonly expiresAtMs: number | null;
  /** When it was used, of what is good once. */
  readonly consumedAtMs: number | null;
}

export interface OauthStore {
  /** Takes the place of one with the same kind and id. */
  put(record: OauthRecord): Promise<void>;
  /** Expired and used ones too. */
  find(kind: string, id: string): Promise<OauthRecord | null>;
  /** Of one kind, newest last. */
  listOfUser(kind: string, userId: string): Promise<readonly OauthRecord[]>;
  /** How many there are of a kind that expire after one time, and no later than another. */
  count(kind: string, afterMs: number, untilMs: number): Promise<number>;
  /** False, and nothing changed, for what was used before or is not there. */
  consume(kind: string, id: string, atMs: number): Promise<boolean>;
  /** Moves the end of one that is there. */
  keepUntil(kind: string, id: string, expiresAtMs: number): Promise<void>;
  remove(kind: string, id: string): Promise<void>;
  /** All of one kind that belong to a grant. */
  removeOfGrant(kind: string, grantId: string): Promise<void>;
  /** Removes up to `most` that expired before a time. Returns whether more are left. */
  prune(beforeMs: number, most: number): Promise<boolean>;
}
