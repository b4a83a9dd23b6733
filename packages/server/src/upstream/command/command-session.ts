import {
  type Clock,
  SandgateError,
  type UpstreamAnswer,
  type UpstreamRequest,
} from '@sandgate/core';
import { failed } from '../upstream-failure.ts';
import { CommandProcess, type CommandProcessOptions } from './command-process.ts';
import { MessageStream } from './message-stream.ts';
import { PendingAnswer, streamAnswer, wholeAnswer } from './pending-answer.ts';
import { readStdioMessage, type StdioMessage } from './stdio-message.ts';

const maxPending = 64;
const maxBacklogMessages = 100;
const maxBacklogCharacters = 1_048_576;
/** A program that goes on telling nobody keeps the server from its work. */
const maxLost = 10_000;

export interface CommandSessionOptions
  extends Pick<CommandProcessOptions, 'exec' | 'onLog' | 'after'> {
  readonly clock: Clock;
  /** For one request: the process ends with its answer. */
  readonly single: boolean;
  /** From a request to what is first said to it. */
  readonly answerMs: number;
  readonly timedOut: (afterMs: number) => SandgateError;
  readonly onEnded: (why: SandgateError) => void;
}

/**
 * One client's conversation with one process: what Streamable HTTP says of sessions, in terms of
 * standard input and output. Messages pass as they are written.
 */
export class CommandSession {
  readonly #options: CommandSessionOptions;
  readonly #process: CommandProcess;
  /** By the id, as JSON; oldest first. */
  readonly #pending = new Map<string, PendingAnswer>();
  /** What the client listens by, beside its requests. */
  #listener: MessageStream | null = null;
  /** Said when nobody listened. */
  readonly #backlog: string[] = [];
  #backlogCharacters = 0;
  #lost = 0;
  #ended: SandgateError | null = null;
  #lastUsedAtMs: number;

  constructor(options: CommandSessionOptions) {
    this.#options = options;
    this.#lastUsedAtMs = options.clock.nowMs();
    this.#process = new CommandProcess({
      ...options,
      onMessage: (message) => this.#take(message),
      onEnded: (why) => this.#over(why),
    });
  }

  /** Since when nothing has gone on in it. Null: something does. */
  get idleSinceMs(): number | null {
    return this.#pending.size > 0 || this.#listener !== null ? null : this.#lastUsedAtMs;
  }

  get lastUsedAtMs(): number {
    return this.#lastUsedAtMs;
  }

  end(why: SandgateError): void {
    this.#process.end(why);
  }

  /** A message of the client. @throws SandgateError */
  async post(text: string, request: UpstreamRequest): Promise<UpstreamAnswer> {
    this.#requireOpen();
    const message = readStdioMessage(text);
    if (message === null) throw new SandgateError('invalid_request', 'The body is no message');
    if (message.kind === 'request') return await this.#ask(message, request);
    if (message.method === 'notifications/cancelled') this.#cancelled(message);
    void this.#write(message);
    return wholeAnswer(202, null);
  }

  /** What the command says beside answers. @throws SandgateError */
  async listen({ signal }: UpstreamRequest): Promise<UpstreamAnswer> {
    this.#requireOpen();
    if (this.#listener !== null) {
      const error = { code: -32_000, message: 'This session has a stream already. Close it first' };
      return wholeAnswer(409, JSON.stringify({ jsonrpc: '2.0', id: null, error }));
    }
    const stream = new MessageStream(() => left());
    const left = (): void => {
      if (this.#listener === stream) this.#listener = null;
      this.#touch();
      stream.end();
    };
    this.#listener = stream;
    signal.addEventListener('abort', left, { once: true });
    if (signal.aborted) left();
    this.#backlogCharacters = 0;
    this.#lost = 0;
    for (const message of this.#backlog.splice(0)) void stream.push(message);
    return streamAnswer(stream);
  }

  async #ask(message: StdioMessage, { signal, headers }: UpstreamRequest): Promise<UpstreamAnswer> {
    const id = message.id ?? '';
    if (this.#pending.has(id)) {
      throw new SandgateError('invalid_request', 'id: another request of this session has it');
    }
    if (this.#pending.size >= maxPending) {
      throw new SandgateError(
        'capacity_exceeded',
        `${maxPending} requests of this session wait for an answer, which is the most`,
      );
    }
    const forget = (why: unknown): void => {
      if (!this.#settle(id, pending)) return;
      pending.fail(why);
      this.#tellCancelled(message);
    };
    const pending = new PendingAnswer({
      takesEvents: headers.accept?.includes('text/event-stream') ?? false,
      progressToken: progressTokenOf(message),
      onLeft: () => forget(abandoned()),
    });
    this.#pending.set(id, pending);
    const { after, answerMs, timedOut } = this.#options;
    const cancel = after(answerMs, () => forget(timedOut(answerMs)));
    const onAbort = (): void => forget(signal.reason ?? abandoned());
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    else void this.#write(message, pending);
    try {
      return await pending.head;
    } finally {
      cancel();
    }
  }

  async #write({ text, id }: StdioMessage, pending?: PendingAnswer): Promise<void> {
    this.#touch();
    try {
      await this.#process.write(text);
    } catch (error) {
      if (pending !== undefined && this.#settle(id ?? '', pending)) pending.fail(error);
    }
  }

  #take(message: StdioMessage): void | Promise<void> {
    this.#touch();
    if (message.kind !== 'answer') return this.#receiver(message)(message.text);
    const pending = this.#pending.get(message.id ?? '');
    if (pending === undefined) return;
    this.#settle(message.id ?? '', pending);
    pending.answer(message.text);
  }

  /**
   * Standard output does not say which request a message is about, but by a token of progress. It goes
   * to the only request that waits, else to who listens, else to the newest request.
   */
  #receiver({ method, params }: StdioMessage): (text: string) => void | Promise<void> {
    const takers = [...this.#pending.values()].filter(({ takesEvents }) => takesEvents);
    if (method === 'notifications/progress') {
      const token = JSON.stringify(params.progressToken);
      const asked = takers.find(({ progressToken }) => progressToken === token);
      if (asked !== undefined) return (text) => asked.tell(text);
    }
    const listener = this.#listener;
    const newest = takers.at(-1);
    if (newest !== undefined && (takers.length === 1 || listener === null)) {
      return (text) => newest.tell(text);
    }
    if (listener !== null) return (text) => listener.push(text);
    return (text) => this.#keep(text);
  }

  /** What is too much is lost, the oldest first. */
  #keep(text: string): void {
    this.#backlog.push(text);
    this.#backlogCharacters += text.length;
    while (
      this.#backlog.length > maxBacklogMessages ||
      this.#backlogCharacters > maxBacklogCharacters
    ) {
      this.#backlogCharacters -= this.#backlog.shift()?.length ?? 0;
      this.#lost += 1;
    }
    if (this.#lost > maxLost) this.end(failed('its command says more than anybody hears'));
  }

  /** The client waits no more, and the command need not answer. */
  #cancelled({ params }: StdioMessage): void {
    const id = JSON.stringify(params.requestId) ?? '';
    const pending = this.#pending.get(id);
    if (pending !== undefined && this.#settle(id, pending)) pending.fail(abandoned());
  }

  #tellCancelled({ method, text }: StdioMessage): void {
    // A session that was not begun cannot go on, and the protocol has no cancelling of that.
    if (method === 'initialize') {
      this.end(abandoned());
      return;
    }
    const requestId = JSON.parse(text).id;
    const params = { requestId, reason: 'The client went away, or waited too long' };
    void this.#process
      .write(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params }))
      .catch(() => undefined);
  }

  /** False: it was over already. */
  #settle(id: string, pending: PendingAnswer): boolean {
    if (this.#pending.get(id) !== pending) return false;
    this.#pending.delete(id);
    this.#touch();
    if (this.#options.single) this.end(abandoned());
    return true;
  }

  #over(why: SandgateError): void {
    this.#ended = why;
    for (const pending of this.#pending.values()) pending.fail(why);
    this.#pending.clear();
    this.#listener?.fail(why);
    this.#listener = null;
    this.#options.onEnded(why);
  }

  #requireOpen(): void {
    if (this.#ended !== null) throw this.#ended;
  }

  #touch(): void {
    this.#lastUsedAtMs = this.#options.clock.nowMs();
  }
}

const abandoned = (): SandgateError =>
  new SandgateError('request_abandoned', 'The request was cancelled');

function progressTokenOf({ params }: StdioMessage): string | null {
  const meta = params._meta;
  if (typeof meta !== 'object' || meta === null || !('progressToken' in meta)) return null;
  return JSON.stringify(meta.progressToken) ?? null;
}
