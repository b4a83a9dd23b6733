/** A person with an account. Times are epoch milliseconds. */
export interface User {
  /** 24 hex digits. */
  readonly id: string;
  /** Small integer id, unique on this server. What usage and audit name the person by. */
  readonly number: number;
  /** As `normalizeEmail` gives it. Unique. */
  readonly email: string;
  /** For display; may be empty. */
  readonly name: string;
  /** Null: no password, so that only single sign-on lets them in. */
  readonly passwordHash: string | null;
  /** That they have the mailbox is known: the operator says so, or a provider of identities. */
  readonly emailVerified: boolean;
  readonly enabled: boolean;
  /** The workspace of a call that names none. They own it, always. */
  readonly homeWorkspaceId: string;
  readonly createdAtMs: number;
  readonly lastLoginAtMs: number | null;
}
