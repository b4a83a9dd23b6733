import type { UpstreamAnswer } from '@sandgate/core';
import { MessageStream } from './message-stream.ts';

/** An answer with nothing or with JSON in it. */
export const wholeAnswer = (status: number, json: string | null): UpstreamAnswer => ({
  status,
  header: (name) => (name === 'content-type' && json !== null ? 'application/json' : null),
  body: new Blob(json === null ? [] : [json]).stream(),
});

export const streamAnswer = (stream: MessageStream): UpstreamAnswer => ({
  status: 200,
  header: (name) => (name === 'content-type' ? 'text/event-stream' : null),
  body: stream.body,
});

/** The answer to a request: JSON when nothing comes before it, else a stream of events. */
export class PendingAnswer {
  readonly head: Promise<UpstreamAnswer>;
  /** Whether it may become a stream. */
  readonly takesEvents: boolean;
  /** As JSON; null for none. */
  readonly progressToken: string | null;
  readonly #onLeft: () => void;
  #resolve!: (answer: UpstreamAnswer) => void;
  #reject!: (error: unknown) => void;
  #stream: MessageStream | null = null;

  constructor(options: {
    readonly takesEvents: boolean;
    readonly progressToken: string | null;
    readonly onLeft: () => void;
  }) {
    this.takesEvents = options.takesEvents;
    this.progressToken = options.progressToken;
    this.#onLeft = options.onLeft;
    this.head = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // It may fail before anybody waits for it.
    this.head.catch(() => undefined);
  }

  /** Something on the way. Resolves when there is room for more. */
  async tell(message: string): Promise<void> {
    if (this.#stream === null) {
      this.#stream = new MessageStream(this.#onLeft);
      this.#resolve(streamAnswer(this.#stream));
    }
    await this.#stream.push(message);
  }

  answer(message: string): void {
    this.#resolve(wholeAnswer(200, message));
    // Its last message may wait for its reader; nothing of the session does for it.
    void this.#stream?.push(message);
    this.#stream?.end();
  }

  fail(error: unknown): void {
    this.#reject(error);
    this.#stream?.fail(error);
  }
}
