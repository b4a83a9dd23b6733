import type { RecordChange } from '../audit/audited-change.ts';
import type { Role } from '../user/role.ts';
import type { User } from '../user/user.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type { Awaitable } from './awaitable.ts';
import type { OwnershipBound } from './storage.ts';

/** A person in a workspace. */
export interface Member {
  readonly workspaceId: string;
  readonly userId: string;
  readonly role: Role;
  readonly createdAtMs: number;
}

/** What a person is in a workspace that is open. */
export interface Membership {
  readonly workspace: Workspace;
  readonly role: Role;
}

export interface MemberStore {
  /** Null for no member, a workspace that is closed, and one that is not there. */
  find(userId: string, workspaceId: string): Awaitable<Membership | null>;
  /** The same, by the workspace's slug. */
  findBySlug(userId: string, slug: string): Promise<Membership | null>;
  /** Every open workspace of a user, by slug. */
  listOfUser(userId: string): Promise<readonly Membership[]>;
  /** Oldest first. */
  listOfWorkspace(
    workspaceId: string,
  ): Promise<readonly { readonly member: Member; readonly user: User }[]>;
  /**
   * @throws SandgateError `member_exists`, `workspace_not_found` when it is closed or not there,
   * `owner_conflict` for a second owner
   */
  insert(member: Member, record?: RecordChange): Promise<void>;
  /** Neither of nor to `owner`. False when there is no such member, or it is the owner. */
  setRole(workspaceId: string, userId: string, role: Role, record?: RecordChange): Promise<boolean>;
  /** False when there is no such member, or it is the owner. */
  remove(workspaceId: string, userId: string, record?: RecordChange): Promise<boolean>;
  /**
   * Makes another member the owner, and the owner an admin, in one step. Null: there is no owner yet.
   * False when one of them is not what the caller thinks.
   * @throws SandgateError `quota_exceeded` when the other owns as many workspaces as they may
   */
  transfer(
    workspaceId: string,
    fromUserId: string | null,
    toUserId: string,
    record?: RecordChange,
    bound?: OwnershipBound,
  ): Promise<boolean>;
}
