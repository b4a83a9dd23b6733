import { type Algorithm, hash, verify } from '@node-rs/argon2';
import { type PasswordHasher, SandgateError, Turns } from '@sandgate/core';

export interface PasswordCost {
  readonly memoryKib: number;
  readonly iterations: number;
}

/** Each holds its memory and a thread of the pool, which files and names need too. */
const mostAtOnce = 2;
const mostWaiting = 100;

/** Argon2id (RFC 9106) on the thread pool, a few at a time. */
export function createPasswordHasher({ memoryKib, iterations }: PasswordCost): PasswordHasher {
  const options = {
    // The package declares its algorithms as an ambient enum, which single files cannot read.
    algorithm: 2 satisfies Algorithm.Argon2id,
    memoryCost: memoryKib,
    timeCost: iterations,
    parallelism: 1,
  };
  const turns = new Turns(mostAtOnce);

  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (turns.waiting >= mostWaiting) {
      throw new SandgateError('capacity_exceeded', 'Too many logins at once. Try again');
    }
    return await turns.run(work);
  };

  let nobodysHash: Promise<string> | null = null;
  return {
    hash: (password) => inTurn(() => hash(password, options)),
    async verify(stored, password) {
      nobodysHash ??= hash('nobody has this password', options);
      const dummy = await nobodysHash;
      const right = await inTurn(() => verify(stored ?? dummy, password));
      return stored !== null && right;
    },
    outdated(stored) {
      const cost = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=\d+\$/.exec(stored);
      return cost === null || Number(cost[1]) < memoryKib || Number(cost[2]) < iterations;
    },
  };
}
