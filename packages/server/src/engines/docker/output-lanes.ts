import type { OutputChunk } from '@sandgate/core';

/** As much as a pipe would hold of a program that nobody reads. */
const maxHeldBytes = 262_144;

interface Lane {
  readonly waiting: Buffer[];
  busy: boolean;
}

/**
 * Hands both outputs of a program on, each in its order and one piece at a time. They arrive on one
 * connection: a receiver that holds one of them back does not hold up the other, until much is held.
 */
export class OutputLanes {
  readonly #lanes: Record<OutputChunk['stream'], Lane> = {
    stdout: { waiting: [], busy: false },
    stderr: { waiting: [], busy: false },
  };
  readonly #onOutput: (chunk: OutputChunk) => void | Promise<void>;
  #heldBytes = 0;
  #changed = Promise.withResolvers<void>();
  #failure: { readonly cause: unknown } | null = null;

  constructor(onOutput: (chunk: OutputChunk) => void | Promise<void>) {
    this.#onOutput = onOutput;
  }

  /** Resolves when more may be given. @throws what the receiver throws */
  async give({ stream, data }: OutputChunk): Promise<void> {
    this.#lanes[stream].waiting.push(data);
    this.#heldBytes += data.length;
    void this.#run(stream);
    await this.#until(() => this.#heldBytes <= maxHeldBytes);
  }

  /** Resolves when everything was taken. @throws what the receiver throws */
  async finish(): Promise<void> {
    await this.#until(() => this.#heldBytes === 0);
  }

  async #until(condition: () => boolean): Promise<void> {
    while (this.#failure === null && !condition()) await this.#changed.promise;
    if (this.#failure !== null) throw this.#failure.cause;
  }

  async #run(stream: OutputChunk['stream']): Promise<void> {
    const lane = this.#lanes[stream];
    if (lane.busy) return;
    lane.busy = true;
    try {
      for (let data = lane.waiting.shift(); data !== undefined; data = lane.waiting.shift()) {
        await this.#onOutput({ stream, data });
        this.#heldBytes -= data.length;
        this.#tell();
      }
    } catch (cause) {
      this.#failure ??= { cause };
      this.#tell();
    } finally {
      lane.busy = false;
    }
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
