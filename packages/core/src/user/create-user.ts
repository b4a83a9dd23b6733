import type { RecordChange } from '../audit/audited-change.ts';
import { SandgateError } from '../error/sandgate-error.ts';
import { keyPattern } from '../key/key-text.ts';
import type { Clock } from '../port/clock.ts';
import type { PasswordHasher } from '../port/password-hasher.ts';
import type { Randomness } from '../port/randomness.ts';
import { newResourceId, newUuid } from '../port/resource-id.ts';
import type { Storage } from '../port/storage.ts';
import type { NewUser } from '../port/user-store.ts';
import { slugFor } from '../workspace/use-workspaces.ts';
import { defaultWorkspaceSlug, newWorkspace, type Workspace } from '../workspace/workspace.ts';
import { requireEmail } from './email-address.ts';
import { requirePassword } from './require-password.ts';
import type { User } from './user.ts';

export interface UserDependencies {
  readonly storage: Pick<Storage, 'users' | 'workspaces'>;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly hasher: PasswordHasher;
}

export interface CreateUserRequest {
  readonly email: string;
  readonly name?: string;
  /** Null: single sign-on only. */
  readonly password: string | null;
  /** Their home is the workspace `default`, which the operator's keys use too. Else a new one. */
  readonly ownsDefault?: boolean;
  /** Refused when somebody has an account already. */
  readonly onlyFirst?: boolean;
}

const mostNameCharacters = 100;

/** @throws SandgateError `invalid_request`, `user_exists`, `owner_conflict`, `setup_refused` */
export async function createUser(
  dependencies: UserDependencies,
  request: CreateUserRequest,
  record?: RecordChange<User>,
): Promise<User> {
  const { ownsDefault = false, onlyFirst = false } = request;
  const { user, home } = await newPerson(dependencies, request);
  const { clock, randomness, storage } = dependencies;
  const ownHome = ownsDefault ? defaultHome({ clock, randomness }) : home;
  return await storage.users.insert(user, ownHome, { onlyFirst, record });
}

/** An account and its home, not stored yet. @throws SandgateError `invalid_request` */
export async function newPerson(
  { clock, randomness, hasher }: Pick<UserDependencies, 'clock' | 'randomness' | 'hasher'>,
  request: Pick<CreateUserRequest, 'email' | 'name' | 'password'>,
): Promise<{ readonly user: NewUser; readonly home: Workspace }> {
  const email = requireEmail(request.email);
  const name = requirePersonName(request.name ?? '');
  const passwordHash =
    request.password === null ? null : await hasher.hash(requirePassword(request.password, email));
  const user: NewUser = {
    id: newResourceId(clock, randomness),
    email,
    name,
    passwordHash,
    emailVerified: true,
    enabled: true,
    createdAtMs: clock.nowMs(),
  };
  const mailbox = email.split('@', 1)[0] ?? '';
  const home = newWorkspace({
    id: newResourceId(clock, randomness),
    uuid: newUuid(randomness),
    slug: slugFor(mailbox, randomness),
    createdAtMs: clock.nowMs(),
  });
  return { user, home: { ...home, name: name || mailbox } };
}

const defaultHome = ({
  clock,
  randomness,
}: Pick<UserDependencies, 'clock' | 'randomness'>): Workspace =>
  newWorkspace({
    id: newResourceId(clock, randomness),
    uuid: newUuid(randomness),
    slug: defaultWorkspaceSlug,
    createdAtMs: clock.nowMs(),
  });

/** @throws SandgateError `invalid_request` */
export function requirePersonName(text: string): string {
  const name = text.trim();
  if ([...name].length > mostNameCharacters || /\p{Cc}/u.test(name) || keyPattern.test(name)) {
    const most = `${mostNameCharacters} characters at most, none of control, and no API key`;
    throw new SandgateError('invalid_request', `name: takes ${most}`);
  }
  return name;
}
