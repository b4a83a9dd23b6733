import { type IdempotencyScope, SandgateError } from '@sandgate/core';

/** How long a request waits for another one of its key that is being carried out. */
const longestWaitMs = 25_000;

interface Turn {
  readonly fingerprint: string;
  readonly ended: Promise<void>;
}

/**
 * The idempotency keys in use at this moment, and what the store still has to be told of those before.
 * One server has the store to itself, so that whoever waits is told of the end here, and looks for no
 * answer in the store before.
 */
export class OnceOnly {
  readonly #turns = new Map<string, Turn>();
  readonly #unstored = new Map<string, () => Promise<void>>();
  readonly #waitMs: number;

  constructor(waitMs = longestWaitMs) {
    this.#waitMs = waitMs;
  }

  /**
   * Runs `work` while nothing else of its key runs.
   * @throws SandgateError `idempotency_conflict` when that is another request, or takes too long;
   * `request_abandoned`
   */
  async inTurn<Result>(
    scope: IdempotencyScope,
    fingerprint: string,
    signal: AbortSignal,
    work: () => Promise<Result>,
  ): Promise<Result> {
    const name = nameOf(scope);
    const enough = AbortSignal.timeout(this.#waitMs);
    for (let turn = this.#turns.get(name); turn !== undefined; turn = this.#turns.get(name)) {
      if (turn.fingerprint !== fingerprint) throw otherRequest();
      await endOrAbort(turn.ended, AbortSignal.any([signal, enough]));
      if (signal.aborted) throw clientGone();
      if (enough.aborted) throw stillRunning();
    }
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    this.#turns.set(name, { fingerprint, ended });
    try {
      await this.#storeLate(name);
      return await work();
    } finally {
      this.#turns.delete(name);
      end();
    }
  }

  /**
   * Tells the store how a request ended. When it cannot be told, that is kept until the next request of
   * this key, which must not be carried out again, and must not find it under way for ever.
   */
  async settle(scope: IdempotencyScope, store: () => Promise<void>): Promise<void> {
    try {
      await store();
    } catch {
      this.#unstored.set(nameOf(scope), store);
    }
  }

  async #storeLate(name: string): Promise<void> {
    const store = this.#unstored.get(name);
    if (store === undefined) return;
    await store();
    this.#unstored.delete(name);
  }
}

const nameOf = ({ owner, method, path, key }: IdempotencyScope): string =>
  [owner, method, path, key].join(' ');

async function endOrAbort(ended: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const stop = () => resolve();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  await Promise.race([ended, aborted]);
  signal.removeEventListener('abort', stop);
}

export const otherRequest = (): SandgateError =>
  new SandgateError(
    'idempotency_conflict',
    'This idempotency-key was used for another request. Choose a new one',
  );

export const stillRunning = (): SandgateError =>
  new SandgateError(
    'idempotency_conflict',
    'A request with this idempotency-key is still being carried out. Wait for it',
  );

const clientGone = (): SandgateError =>
  new SandgateError('request_abandoned', 'The client went away before its call began');
