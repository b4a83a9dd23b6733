/** A key pair that signs access tokens. Only its public half is readable in the store. */
export interface SigningKeyRecord {
  /** What tokens name it by: `kid`. */
  readonly id: string;
  /** JSON Web Key (RFC 7517), as text. */
  readonly publicKey: string;
  /** The private half, encrypted under a secret made of the server key. */
  readonly sealedPrivateKey: Uint8Array;
  readonly serverKeyVersion: number;
  readonly createdAtMs: number;
}

export interface SigningKeyStore {
  /** Newest first. */
  list(): Promise<readonly SigningKeyRecord[]>;
  /**
   * Stores a key, unless another one of its server key is newer than `unlessNewerThanMs`: then of
   * two processes that make one at once, both use the first.
   */
  insert(key: SigningKeyRecord, unlessNewerThanMs: number): Promise<void>;
  /** Removes those of other server keys, and those older than a time. */
  prune(serverKeyVersion: number, beforeMs: number): Promise<void>;
}
