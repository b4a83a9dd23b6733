import type { RecordChange } from '../audit/audited-change.ts';
import { SandgateError } from '../error/sandgate-error.ts';
import { keyPattern } from '../key/key-text.ts';
import type { Clock } from '../port/clock.ts';
import type { PasswordHasher } from '../port/password-hasher.ts';
import type { Randomness } from '../port/randomness.ts';
import { newResourceId, newUuid } from '../port/resource-id.ts';
import type { Storage } from '../port/storage.ts';
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
  const { storage, clock, randomness, hasher } = dependencies;
  const email = requireEmail(request.email);
  const name = requirePersonName(request.name ?? '');
  const passwordHash =
    request.password === null ? null : await hasher.hash(requirePassword(request.password, email));
  const user = {
    id: newResourceId(clock, randomness),
    email,
    name,
    passwordHash,
    enabled: true,
    createdAtMs: clock.nowMs(),
  };
  const home = newHome(dependencies, email, name, request.ownsDefault === true);
  const { onlyFirst = false } = request;
  return await storage.users.insert(user, home, { onlyFirst, record });
}

/** @throws SandgateError `invalid_request` */
export function requirePersonName(text: string): string {
  const name = text.trim();
  if ([...name].length > mostNameCharacters || /\p{Cc}/u.test(name) || keyPattern.test(name)) {
    const most = `${mostNameCharacters} characters at most, none of control, and no API key`;
    throw new SandgateError('invalid_request', `name: takes ${most}`);
  }
  return name;
}

/** The slug says whose it is, and its end keeps two namesakes apart. */
function newHome(
  { clock, randomness }: Pick<UserDependencies, 'clock' | 'randomness'>,
  email: string,
  name: string,
  ownsDefault: boolean,
): Workspace {
  const mailbox = email.split('@', 1)[0] ?? '';
  const readable = mailbox
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 40);
  const ending = Buffer.from(randomness.bytes(4)).toString('hex');
  const slug = ownsDefault ? defaultWorkspaceSlug : `${readable || 'user'}-${ending}`;
  const workspace = newWorkspace({
    id: newResourceId(clock, randomness),
    uuid: newUuid(randomness),
    slug,
    createdAtMs: clock.nowMs(),
  });
  return ownsDefault ? workspace : { ...workspace, name: name || mailbox };
}
