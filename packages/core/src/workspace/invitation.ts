import type { Role } from '../user/role.ts';

/** A place in a workspace for a person without an account. Its token is shown once, and used once. */
export interface Invitation {
  /** 24 hex digits. */
  readonly id: string;
  readonly workspaceId: string;
  readonly email: string;
  readonly role: Exclude<Role, 'owner'>;
  /** Id of the person who invites; null for a key that is nobody's. */
  readonly invitedBy: string | null;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}
