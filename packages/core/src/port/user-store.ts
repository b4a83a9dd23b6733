import type { RecordChange } from '../audit/audited-change.ts';
import type { User } from '../user/user.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type { Awaitable } from './awaitable.ts';

export type NewUser = Omit<User, 'number' | 'homeWorkspaceId' | 'lastLoginAtMs'>;

/** What may be changed of a user. What is absent stays as it is. */
export type UserChanges = Partial<
  Pick<User, 'name' | 'passwordHash' | 'emailVerified' | 'enabled' | 'lastLoginAtMs'>
>;

export interface UserPageRequest {
  readonly limit: number;
  readonly afterNumber?: number | undefined;
  /** Whatever the case of its letters. */
  readonly search?: string | undefined;
}

export interface UserStore {
  /**
   * Stores a user as the owner of their home, which is stored now if no workspace has its slug.
   * `onlyFirst`: only while there is no user at all.
   * @throws SandgateError `user_exists` when the e-mail address has an account, `owner_conflict`
   * when the home has an owner already, `setup_refused` when it is not the first.
   */
  insert(
    user: NewUser,
    home: Workspace,
    options?: { readonly onlyFirst?: boolean; readonly record?: RecordChange<User> | undefined },
  ): Promise<User>;
  /** As `normalizeEmail` gives it. */
  findByEmail(email: string): Promise<User | null>;
  findById(id: string): Awaitable<User | null>;
  findByNumber(number: number): Promise<User | null>;
  /** Oldest first, that is, by number. */
  list(): Promise<readonly User[]>;
  /** The same, a part of it: those behind a number, with a text in name or address. */
  page(
    request: UserPageRequest,
  ): Promise<{ readonly users: readonly User[]; readonly total: number }>;
  count(): Promise<number>;
  /** False when there is no such user. */
  update(id: string, changes: UserChanges, record?: RecordChange): Promise<boolean>;
}
