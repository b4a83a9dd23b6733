import { createHash, timingSafeEqual } from 'node:crypto';
import type { RecordChange } from '../audit/audited-change.ts';
import { SandgateError } from '../error/sandgate-error.ts';
import type { Randomness } from '../port/randomness.ts';
import { type CreateUserRequest, createUser, type UserDependencies } from './create-user.ts';
import type { User } from './user.ts';

/** Lets one person make the first account of a server, and become the owner of its default workspace. */
export interface FirstUserSetup {
  /** For the operator's eyes, while the server has no user. Null: it has had one. */
  readonly token: string | null;
  /** @throws SandgateError `setup_refused`, and what `createUser` throws; the token is good until one is made */
  create(
    token: string,
    request: Pick<CreateUserRequest, 'email' | 'name' | 'password'>,
    record: RecordChange<User>,
  ): Promise<User>;
}

export async function createFirstUserSetup(
  dependencies: UserDependencies & { readonly randomness: Randomness },
): Promise<FirstUserSetup> {
  const { storage, randomness } = dependencies;
  const text = `setup_${Buffer.from(randomness.bytes(20)).toString('hex')}`;
  const token = (await storage.users.count()) === 0 ? text : null;
  return {
    token,
    async create(shown, request, record) {
      // Never against the empty text: a server that has users has no token.
      if (token === null || !sameText(shown, token)) {
        throw new SandgateError(
          'setup_refused',
          'That is not the setup token. The server prints one at its start while it has no user',
        );
      }
      const first = { ...request, ownsDefault: true, onlyFirst: true };
      return await createUser(dependencies, first, record);
    },
  };
}

/** Takes as long however much of the text is right. */
function sameText(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
