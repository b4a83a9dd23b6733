/** Turns passwords into what may be stored. */
export interface PasswordHasher {
  hash(password: string): Promise<string>;
  /**
   * Whether a password is the one of a hash. For null, where there is no hash, it is false after
   * the same work.
   */
  verify(hash: string | null, password: string): Promise<boolean>;
  /** The hash is cheaper than those that `hash` makes now. */
  outdated(hash: string): boolean;
}
