import type { AuditedChange, RecordChange } from '../audit/audited-change.ts';
import { SandgateError } from '../error/sandgate-error.ts';
import type { Clock } from '../port/clock.ts';
import type { PasswordHasher } from '../port/password-hasher.ts';
import type { Storage } from '../port/storage.ts';
import { requirePersonName } from './create-user.ts';
import { normalizeEmail } from './email-address.ts';
import { requirePassword } from './require-password.ts';
import type { User } from './user.ts';

interface ChangeDependencies {
  readonly storage: Pick<Storage, 'users' | 'sessions'>;
  readonly clock: Clock;
}

/**
 * Finds a person by e-mail address, number or 24-hex id.
 * @throws SandgateError `user_not_found`
 */
export async function findUser(
  { storage }: { readonly storage: Pick<Storage, 'users'> },
  reference: string,
): Promise<User> {
  const user = await lookUpUser({ storage }, reference);
  if (user !== null) return user;
  throw noSuchUser();
}

export const noSuchUser = (): SandgateError =>
  new SandgateError(
    'user_not_found',
    'There is no such user. Name one by e-mail address, number or id, as `msb users list` shows them',
  );

/** The same; null when there is none. */
export async function lookUpUser(
  { storage: { users } }: { readonly storage: Pick<Storage, 'users'> },
  reference: string,
): Promise<User | null> {
  if (reference.includes('@')) return await users.findByEmail(normalizeEmail(reference));
  return /^[0-9]{1,15}$/.test(reference)
    ? await users.findByNumber(Number(reference))
    : await users.findById(reference);
}

/** Switched off, a person is refused with the next call, and every session of theirs has ended. */
export async function setUserEnabled(
  { storage, clock }: ChangeDependencies,
  user: User,
  enabled: boolean,
  record?: RecordChange,
): Promise<void> {
  await storage.users.update(user.id, { enabled }, record);
  if (!enabled) await storage.sessions.endAll(user.id, clock.nowMs());
}

/** @throws SandgateError `invalid_request` */
export async function renameUser(
  { storage }: { readonly storage: Pick<Storage, 'users'> },
  user: User,
  name: string,
  record?: RecordChange,
): Promise<User> {
  const renamed = { ...user, name: requirePersonName(name) };
  await storage.users.update(user.id, { name: renamed.name }, record);
  return renamed;
}

/** Every session of theirs; their keys stay. Returns how many. */
export async function endSessions(
  { storage, clock }: ChangeDependencies,
  user: User,
  change: AuditedChange,
): Promise<number> {
  return await storage.sessions.endAll(user.id, clock.nowMs(), {
    record(sessions) {
      change.note({ details: { sessions } });
      return change.append();
    },
  });
}

/** A new password ends every session but one, since whoever knew the old one may have made them. */
export async function setPassword(
  { storage, clock, hasher }: ChangeDependencies & { readonly hasher: PasswordHasher },
  user: User,
  password: string,
  {
    record,
    exceptSession,
  }: { readonly record?: RecordChange; readonly exceptSession?: string } = {},
): Promise<void> {
  const passwordHash = await hasher.hash(requirePassword(password, user.email));
  await storage.users.update(user.id, { passwordHash }, record);
  await storage.sessions.endAll(user.id, clock.nowMs(), { except: exceptSession });
}

/**
 * Gives an account that anybody may have made under an address to the owner of that address, with a new
 * password. What was set up before ends: sessions, keys, identities, and in the workspaces that it owns
 * the other members, invitations and keys.
 * @throws SandgateError `invalid_request` when the address is proven already, and `setPassword` is meant
 */
export async function handOver(
  {
    storage,
    clock,
    hasher,
  }: Pick<ChangeDependencies, 'clock'> & {
    readonly storage: Pick<Storage, 'identities'>;
    readonly hasher: PasswordHasher;
  },
  user: User,
  password: string,
  record?: RecordChange,
): Promise<void> {
  const passwordHash = await hasher.hash(requirePassword(password, user.email));
  const given = { passwordHash, atMs: clock.nowMs(), record };
  if (await storage.identities.prove(user.id, given)) return;
  throw new SandgateError(
    'invalid_request',
    'The address of this account is proven already. Nothing was changed: set the password alone',
  );
}
