import { type Algorithm, hash, verify } from '@node-rs/argon2';
import { type PasswordHasher, SandgateError } from '@sandgate/core';

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
  const waiting: (() => void)[] = [];
  let running = 0;

  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= mostAtOnce) {
      if (waiting.length >= mostWaiting) {
        throw new SandgateError('capacity_exceeded', 'Too many logins at once. Try again');
      }
      await new Promise<void>((resolve) => void waiting.push(resolve));
    } else {
      running += 1;
    }
    try {
      return await work();
    } finally {
      // Whoever waits next takes this place over.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
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
