import { SandgateError } from '@sandgate/core';

/** Calls that run at once: each holds memory and file descriptors until it ends. */
const maxCallsOfCaller = 512;
const maxCallsOfServer = 1_024;

/** Bounds what runs at once, for each caller and in total. */
export class CallLimit {
  readonly #running = new Map<string, number>();
  #total = 0;

  /** @throws SandgateError `capacity_exceeded`, and nothing was run */
  async run<T>(caller: string, work: () => Promise<T>): Promise<T> {
    const running = this.#running.get(caller) ?? 0;
    if (running >= maxCallsOfCaller) {
      throw refusal(`This API key has ${maxCallsOfCaller} calls in progress`);
    }
    if (this.#total >= maxCallsOfServer) {
      throw refusal(`This server has ${maxCallsOfServer} calls in progress`);
    }
    this.#running.set(caller, running + 1);
    this.#total += 1;
    try {
      return await work();
    } finally {
      this.#total -= 1;
      const left = (this.#running.get(caller) ?? 1) - 1;
      if (left > 0) this.#running.set(caller, left);
      else this.#running.delete(caller);
    }
  }
}

const refusal = (what: string): SandgateError =>
  new SandgateError('capacity_exceeded', `${what}, which is the most. Wait for some to end`);
