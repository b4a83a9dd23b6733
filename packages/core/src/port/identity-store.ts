import type { RecordChange } from '../audit/audited-change.ts';
import type { User } from '../user/user.ts';

/** A person at a provider of identities. */
export interface LinkedIdentity {
  readonly provider: string;
  readonly subject: string;
  readonly userId: string;
  readonly createdAtMs: number;
}

export interface IdentityStore {
  find(provider: string, subject: string): Promise<User | null>;
  /**
   * Links an identity to a user. `provesEmail`: their address is known to be theirs by it; what was set
   * before that (a password, sessions, identities, and in the workspaces that they own the members,
   * invitations and keys) may be somebody else's, and goes when it was not proven yet.
   * @throws SandgateError `sign_in_failed` when the identity is another user's
   */
  link(
    identity: LinkedIdentity,
    options: { readonly provesEmail: boolean; readonly record?: RecordChange | undefined },
  ): Promise<void>;
  /**
   * The operator says whose the address is, and gives them a password. What was set before goes as by
   * `link`. False, and nothing is changed, when the address was proven already.
   */
  prove(
    userId: string,
    given: {
      readonly passwordHash: string;
      readonly atMs: number;
      readonly record?: RecordChange | undefined;
    },
  ): Promise<boolean>;
}
