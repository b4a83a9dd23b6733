import { SandgateError } from '../error/sandgate-error.ts';
import { tooMany } from '../limit/too-many.ts';
import type { Clock } from '../port/clock.ts';
import type { PasswordHasher } from '../port/password-hasher.ts';
import type { Storage } from '../port/storage.ts';
import { normalizeEmail } from '../user/email-address.ts';
import type { User } from '../user/user.ts';
import type { LoginThrottle } from './login-throttle.ts';

export interface LogInDependencies {
  readonly storage: Pick<Storage, 'users'>;
  readonly clock: Clock;
  readonly hasher: PasswordHasher;
  readonly throttle: LoginThrottle;
}

export interface LogInRequest {
  readonly email: string;
  readonly password: string;
  readonly address: string;
  /** Asks somebody else about the client, as a captcha's server. Rejects when it is refused. */
  readonly proveHuman?: () => Promise<void>;
}

const mostAccountCharacters = 254;

/**
 * Whose password this is, at the cost of a try. An address that nobody has, a wrong password, an
 * account without one and one that is switched off are refused with the same words after the same work.
 * @throws SandgateError `login_failed`, or `rate_limited` with the exact wait
 */
export async function provePassword(
  { storage, clock, hasher, throttle }: LogInDependencies,
  { email, password, address, proveHuman }: LogInRequest,
): Promise<User & { readonly passwordHash: string }> {
  const account = normalizeEmail(email).slice(0, mostAccountCharacters);
  // Whoever is held up costs no question. A robot costs no account its tries.
  requireNoWait(throttle.arrive(address, clock.nowMs()));
  await proveHuman?.();
  requireNoWait(throttle.attempt(account, clock.nowMs()));
  const user = await storage.users.findByEmail(account);
  const passwordHash = user?.passwordHash ?? null;
  const right = await hasher.verify(passwordHash, password);
  if (user === null || passwordHash === null || !right || !user.enabled) {
    throw new SandgateError('login_failed', 'Wrong e-mail address or password');
  }
  throttle.succeeded(account);
  return { ...user, passwordHash };
}

/** The same, and remembers when. @throws SandgateError `login_failed`, `rate_limited` */
export async function logIn(dependencies: LogInDependencies, request: LogInRequest): Promise<User> {
  const { storage, clock, hasher } = dependencies;
  const user = await provePassword(dependencies, request);
  await storage.users.update(user.id, {
    lastLoginAtMs: clock.nowMs(),
    ...(hasher.outdated(user.passwordHash)
      ? { passwordHash: await hasher.hash(request.password) }
      : {}),
  });
  return user;
}

function requireNoWait(retryAfterMs: number): void {
  if (retryAfterMs > 0) throw tooMany('tries to log in', 'logins', retryAfterMs);
}
