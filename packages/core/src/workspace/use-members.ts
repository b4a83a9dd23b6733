import type { AuditedChange } from '../audit/audited-change.ts';
import { SandgateError } from '../error/sandgate-error.ts';
import { digestKeyText, type ServerKey } from '../key/key-digest.ts';
import { grants } from '../key/scope.ts';
import type { Clock } from '../port/clock.ts';
import type { PasswordHasher } from '../port/password-hasher.ts';
import type { Randomness } from '../port/randomness.ts';
import { newResourceId } from '../port/resource-id.ts';
import type { Storage } from '../port/storage.ts';
import { lookUpUser } from '../user/change-user.ts';
import { newPerson } from '../user/create-user.ts';
import { requireEmail } from '../user/email-address.ts';
import { type Role, roleScopes } from '../user/role.ts';
import type { User } from '../user/user.ts';
import type { Invitation } from './invitation.ts';
import type { Workspace } from './workspace.ts';

export interface MemberDependencies {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly serverKey: () => ServerKey;
  readonly change: AuditedChange;
}

export interface AddMemberRequest {
  readonly email: string;
  readonly role: Role;
  /** Id of who adds; null for nobody. */
  readonly by: string | null;
}

/** `token` is shown this once. */
export interface Invited {
  readonly kind: 'invited';
  readonly invitation: Invitation;
  readonly token: string;
}

/** Invited: nobody has that address, or has proven to. */
export type AddedMember = { readonly kind: 'added'; readonly user: User } | Invited;

const invitationMs = 7 * 86_400_000;
const tokenForm = /^invite_[0-9a-f]{40}$/;

const digestOf = ({ serverKey }: Pick<MemberDependencies, 'serverKey'>, token: string) =>
  digestKeyText(serverKey(), token);

/**
 * Makes whoever has the address a member, and invites them where nobody has it. An account whose
 * address was never proven is invited, too: anybody can have made it, and the token goes to the person.
 * @throws SandgateError `invalid_request`, `member_exists`, `owner_conflict` for the role of the owner
 */
export async function addMember(
  dependencies: MemberDependencies,
  workspace: Workspace,
  request: AddMemberRequest,
): Promise<AddedMember> {
  const { email: address, role } = request;
  const { storage, clock, change } = dependencies;
  const email = requireEmail(address);
  requireNoOwner(role);
  const user = await storage.users.findByEmail(email);
  if (user?.emailVerified !== true) return await inviteMember(dependencies, workspace, request);
  change.note({ target: `user:${user.number}`, details: { role } });
  const createdAtMs = clock.nowMs();
  const member = { workspaceId: workspace.id, userId: user.id, role, createdAtMs };
  await storage.members.insert(member, change.append);
  return { kind: 'added', user };
}

/**
 * A place for whoever shows the token and has the address, with an account or without one.
 * @throws SandgateError `invalid_request`, `member_exists`, `owner_conflict` for the role of the owner
 */
export async function inviteMember(
  dependencies: MemberDependencies,
  workspace: Workspace,
  { email: address, role, by }: AddMemberRequest,
): Promise<Invited> {
  const { storage, clock, randomness, change } = dependencies;
  const email = requireEmail(address);
  requireNoOwner(role);
  const user = await storage.users.findByEmail(email);
  if (user !== null && (await storage.members.find(user.id, workspace.id)) !== null) {
    throw new SandgateError('member_exists', 'This person is a member of the workspace already');
  }
  const nowMs = clock.nowMs();
  const token = `invite_${Buffer.from(randomness.bytes(20)).toString('hex')}`;
  const invitation: Invitation = {
    id: newResourceId(clock, randomness),
    workspaceId: workspace.id,
    email,
    role,
    invitedBy: by,
    createdAtMs: nowMs,
    expiresAtMs: nowMs + invitationMs,
  };
  change.note({ target: `invitation:${invitation.id}`, details: { role } });
  await storage.invitations.insert(invitation, digestOf(dependencies, token), change.append);
  return { kind: 'invited', invitation, token };
}

function requireNoOwner(role: Role): asserts role is Exclude<Role, 'owner'> {
  if (role !== 'owner') return;
  throw new SandgateError(
    'owner_conflict',
    'The workspace has an owner. Add a member, and hand it over to them',
  );
}

/**
 * A member, by e-mail address, number or 24-hex id. Who is none is not told from who does not exist.
 * @throws SandgateError `member_not_found`
 */
export async function findMember(
  { storage }: { readonly storage: Pick<Storage, 'users' | 'members'> },
  workspace: Workspace,
  reference: string,
): Promise<User> {
  const user = await lookUpUser({ storage }, reference);
  if (user !== null && (await storage.members.find(user.id, workspace.id)) !== null) return user;
  throw noSuchMember();
}

const noSuchMember = (): SandgateError =>
  new SandgateError('member_not_found', 'The workspace has no such member');

/** @throws SandgateError `member_not_found`, `owner_conflict` of or to the owner */
export async function changeRole(
  { storage, change }: Pick<MemberDependencies, 'storage' | 'change'>,
  workspace: Workspace,
  user: User,
  role: Role,
): Promise<void> {
  change.note({ target: `user:${user.number}`, details: { role } });
  await requireOrdinary(storage, workspace, user);
  if (
    role === 'owner' ||
    !(await storage.members.setRole(workspace.id, user.id, role, change.append))
  ) {
    throw new SandgateError('owner_conflict', 'Only the owner makes another member the owner');
  }
}

/**
 * Their next call is refused, whatever token or key it comes with.
 * @throws SandgateError `member_not_found`, `owner_conflict`
 */
export async function removeMember(
  { storage, change }: Pick<MemberDependencies, 'storage' | 'change'>,
  workspace: Workspace,
  user: User,
): Promise<void> {
  change.note({ target: `user:${user.number}` });
  await requireOrdinary(storage, workspace, user);
  await storage.members.remove(workspace.id, user.id, change.append);
}

async function requireOrdinary(
  { members }: Storage,
  workspace: Workspace,
  user: User,
): Promise<void> {
  const membership = await members.find(user.id, workspace.id);
  if (membership === null) {
    throw noSuchMember();
  }
  if (membership.role === 'owner') {
    throw new SandgateError(
      'owner_conflict',
      'The owner stays until the workspace is handed over to another member',
    );
  }
}

/**
 * An invitation is worth what its maker is: else whoever is about to be removed would come back by one.
 * @throws SandgateError `invitation_invalid`
 */
export async function findInvitation(
  dependencies: Pick<MemberDependencies, 'storage' | 'clock' | 'serverKey'>,
  token: string,
): Promise<Invitation> {
  const { storage, clock } = dependencies;
  const found = tokenForm.test(token)
    ? await storage.invitations.findByDigest(digestOf(dependencies, token), clock.nowMs())
    : null;
  if (found !== null && (await mayStillInvite(dependencies.storage, found))) return found;
  throw new SandgateError(
    'invitation_invalid',
    'This invitation is not valid any more. Ask for another one',
  );
}

async function mayStillInvite(
  { users, members }: Storage,
  { invitedBy, workspaceId }: Invitation,
): Promise<boolean> {
  if (invitedBy === null) return true;
  const user = await users.findById(invitedBy);
  const membership = await members.find(invitedBy, workspaceId);
  if (user?.enabled !== true || membership === null) return false;
  return grants(roleScopes[membership.role], 'workspace:manage');
}

/** For a person who has an account with the invited address. @throws SandgateError `invitation_invalid`, `member_exists` */
export async function acceptInvitation(
  dependencies: MemberDependencies,
  token: string,
  user: User,
): Promise<Invitation> {
  const { storage, clock, change } = dependencies;
  const invitation = await findInvitation(dependencies, token);
  const { id, workspaceId, role, email } = invitation;
  if (email !== user.email) {
    throw new SandgateError('invitation_invalid', 'This invitation is for another e-mail address');
  }
  change.note({ target: `user:${user.number}`, workspaceId, details: { role } });
  const member = { workspaceId, userId: user.id, role, createdAtMs: clock.nowMs() };
  await storage.invitations.accept(id, member, change.append);
  return invitation;
}

/**
 * For a person who has none: makes the account. That they have the mailbox is not proven by it.
 * @throws SandgateError `invitation_invalid`, `invalid_request`, `user_exists`
 */
export async function acceptAsNewPerson(
  dependencies: Omit<MemberDependencies, 'change'> & { readonly hasher: PasswordHasher },
  token: string,
  { name, password }: { readonly name: string; readonly password: string },
  record: Parameters<Storage['invitations']['acceptAsNew']>[4],
): Promise<User> {
  const { storage } = dependencies;
  const { id, workspaceId, role, email } = await findInvitation(dependencies, token);
  const { user, home } = await newPerson(dependencies, { email, name, password });
  const member = { workspaceId, userId: user.id, role, createdAtMs: user.createdAtMs };
  const unproven = { ...user, emailVerified: false };
  return await storage.invitations.acceptAsNew(id, unproven, home, member, record);
}
