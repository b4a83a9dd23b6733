import type { RecordChange } from '../audit/audited-change.ts';
import { SandgateError } from '../error/sandgate-error.ts';
import type { Clock } from '../port/clock.ts';
import type { PasswordHasher } from '../port/password-hasher.ts';
import type { Storage } from '../port/storage.ts';
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
  const { users } = storage;
  const user = reference.includes('@')
    ? await users.findByEmail(normalizeEmail(reference))
    : /^[0-9]{1,15}$/.test(reference)
      ? await users.findByNumber(Number(reference))
      : await users.findById(reference);
  if (user !== null) return user;
  throw new SandgateError(
    'user_not_found',
    'There is no such user. Name one by e-mail address, number or id, as `msb users list` shows them',
  );
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
  await storage.sessions.endAll(user.id, clock.nowMs(), exceptSession);
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
