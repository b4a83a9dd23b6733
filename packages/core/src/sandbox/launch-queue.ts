import { SandgateError } from '../error/sandgate-error.ts';
import type { Clock } from '../port/clock.ts';
import type { Timers } from '../port/timers.ts';
import { requireWaiting } from './start-order.ts';

interface Waiting {
  readonly begin: () => void;
}

interface LaunchQueueParts {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Launches that go on at once. */
  readonly parallel: number;
  /** How long one may wait for its turn. */
  readonly patienceMs: number;
}

/**
 * Lets so many launches go on at once. Those that wait take turns: each workspace in the order of its
 * calls, and the workspaces one after another, so that a burst of one holds up no other.
 */
export class LaunchQueue {
  readonly #parts: LaunchQueueParts;
  /** Workspaces with somebody waiting, the next one first. */
  readonly #waiting = new Map<string, Waiting[]>();
  #running = 0;
  #waitingCount = 0;
  /** How long a launch takes, as it was lately. */
  #usualMs = 100;

  constructor(parts: LaunchQueueParts) {
    this.#parts = parts;
  }

  /** @throws SandgateError `capacity_exceeded` when its turn does not come, `request_abandoned` */
  async run<Result>(
    workspaceId: string,
    launch: () => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result> {
    requireWaiting(signal);
    if (this.#running < this.#parts.parallel) this.#running += 1;
    else await this.#turn(workspaceId, signal);
    const beganAtMs = this.#parts.clock.nowMs();
    try {
      return await launch();
    } finally {
      const tookMs = Math.max(1, this.#parts.clock.nowMs() - beganAtMs);
      this.#usualMs += (tookMs - this.#usualMs) / 8;
      // The place is handed on, or given up.
      if (!this.#beginNext()) this.#running -= 1;
    }
  }

  /** Resolves with a place in hand. */
  #turn(workspaceId: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (error: SandgateError): void => {
        settle();
        this.#remove(workspaceId, entry);
        reject(error);
      };
      const abandon = () =>
        leave(
          new SandgateError('request_abandoned', 'The client went away before the sandbox started'),
        );
      const cancel = this.#parts.timers.after(this.#parts.patienceMs, () => leave(this.#refusal()));
      const settle = () => {
        cancel();
        signal?.removeEventListener('abort', abandon);
      };
      const entry: Waiting = {
        begin: () => {
          settle();
          resolve();
        },
      };
      signal?.addEventListener('abort', abandon);
      const queue = this.#waiting.get(workspaceId);
      if (queue === undefined) this.#waiting.set(workspaceId, [entry]);
      else queue.push(entry);
      this.#waitingCount += 1;
    });
  }

  #beginNext(): boolean {
    const [next] = this.#waiting;
    if (next === undefined) return false;
    const [workspaceId, queue] = next;
    const entry = queue.shift();
    this.#waiting.delete(workspaceId);
    if (queue.length > 0) this.#waiting.set(workspaceId, queue);
    this.#waitingCount -= 1;
    entry?.begin();
    return true;
  }

  #remove(workspaceId: string, entry: Waiting): void {
    const queue = this.#waiting.get(workspaceId) ?? [];
    queue.splice(queue.indexOf(entry), 1);
    if (queue.length === 0) this.#waiting.delete(workspaceId);
    this.#waitingCount -= 1;
  }

  #refusal(): SandgateError {
    const { parallel, patienceMs } = this.#parts;
    const retryAfterMs = Math.max(
      1_000,
      Math.ceil((this.#waitingCount / parallel) * this.#usualMs),
    );
    return new SandgateError(
      'capacity_exceeded',
      `So many sandboxes are being started that this one did not get its turn within ${patienceMs / 1_000} seconds. Try again in ${Math.ceil(retryAfterMs / 1_000)} seconds`,
      { data: { retryAfterMs } },
    );
  }
}
