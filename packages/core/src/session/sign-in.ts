import type { AuditedChange } from '../audit/audited-change.ts';
import { SandgateError } from '../error/sandgate-error.ts';
import type { Clock } from '../port/clock.ts';
import type { ProvenIdentity } from '../port/identity-provider.ts';
import type { PasswordHasher } from '../port/password-hasher.ts';
import type { Randomness } from '../port/randomness.ts';
import type { Storage } from '../port/storage.ts';
import { createUser } from '../user/create-user.ts';
import { normalizeEmail } from '../user/email-address.ts';
import type { User } from '../user/user.ts';

export interface SignInDependencies {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly hasher: PasswordHasher;
  readonly change: AuditedChange;
}

export interface SignInRequest {
  readonly provider: string;
  readonly identity: ProvenIdentity;
  /** Somebody who has logged in, and adds this identity to their account. */
  readonly linkTo: User | null;
  /** Whoever has no account gets one. */
  readonly allowSignUp: boolean;
}

/**
 * The account of somebody whom a provider has proven. It is found by the identity that was linked to
 * it, else by the address that the provider has verified: an address that anybody may type proves nothing.
 * @throws SandgateError `sign_in_failed`
 */
export async function signIn(
  dependencies: SignInDependencies,
  { provider, identity, linkTo, allowSignUp }: SignInRequest,
): Promise<User> {
  const { storage, clock, change } = dependencies;
  const { subject } = identity;
  const link = async (user: User, provesEmail: boolean): Promise<User> => {
    change.note({ target: `user:${user.number}`, details: { provider } });
    const linked = { provider, subject, userId: user.id, createdAtMs: clock.nowMs() };
    await storage.identities.link(linked, { provesEmail, record: change.append });
    return user;
  };

  const known = await storage.identities.find(provider, subject);
  if (known !== null && (linkTo === null || linkTo.id === known.id)) {
    change.note({ target: `user:${known.number}`, details: { provider } });
    return requireEnabled(known);
  }
  if (linkTo !== null) return await link(requireEnabled(linkTo), false);
  const email = identity.email === null ? null : normalizeEmail(identity.email);
  if (email === null || !identity.emailVerified) {
    throw new SandgateError(
      'sign_in_failed',
      'This sign-in tells no verified e-mail address. Log in otherwise, and link it to your account',
    );
  }
  const owner = await storage.users.findByEmail(email);
  if (owner !== null) return await link(requireEnabled(owner), true);
  if (!allowSignUp) {
    throw new SandgateError('sign_in_failed', 'There is no account with that e-mail address');
  }
  const name = identity.name.replaceAll(/\p{Cc}/gu, '').slice(0, 100);
  return await link(await createUser(dependencies, { email, name, password: null }), true);
}

function requireEnabled(user: User): User {
  if (user.enabled) return user;
  throw new SandgateError('sign_in_failed', 'This account is switched off');
}
