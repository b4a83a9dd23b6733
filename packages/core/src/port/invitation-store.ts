import type { RecordChange } from '../audit/audited-change.ts';
import type { User } from '../user/user.ts';
import type { Invitation } from '../workspace/invitation.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type { Member } from './member-store.ts';
import type { NewUser } from './user-store.ts';

export interface InvitationStore {
  /** Takes the place of an earlier one to the same address. @throws SandgateError `workspace_not_found` */
  insert(invitation: Invitation, digest: Uint8Array, record?: RecordChange): Promise<void>;
  /** Null for one that nobody has, that has expired, or whose workspace is closed. */
  findByDigest(digest: Uint8Array, nowMs: number): Promise<Invitation | null>;
  /** Oldest first. */
  list(workspaceId: string, nowMs: number): Promise<readonly Invitation[]>;
  /** False when the workspace has no such invitation. */
  remove(workspaceId: string, id: string, record?: RecordChange): Promise<boolean>;
  /**
   * Uses an invitation up and makes the member, in one step.
   * @throws SandgateError `invitation_invalid` when it is gone, `member_exists`
   */
  accept(id: string, member: Member, record?: RecordChange): Promise<void>;
  /**
   * The same for a person without an account, which is made with its home.
   * @throws SandgateError `user_exists` besides
   */
  acceptAsNew(
    id: string,
    user: NewUser,
    home: Workspace,
    member: Member,
    record?: RecordChange<User>,
  ): Promise<User>;
}
