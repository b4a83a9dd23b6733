import type { Readable } from 'node:stream';
import type Docker from 'dockerode';

type Waiter = (exitCode: number | null) => void;

interface DaemonEvent {
  readonly Action?: string;
  readonly time?: number;
  readonly Actor?: {
    readonly ID?: string;
    readonly Attributes?: Readonly<Record<string, string>>;
  };
}

const reconnectDelayMs = 200;

/**
 * Tells when containers and the programs in them have ended. One stream of the daemon's events serves
 * all; when it breaks, it is opened again from where it was.
 */
export class ContainerEvents {
  readonly #docker: Docker;
  readonly #label: string;
  readonly #waiters = new Map<string, Waiter>();
  #opening: Promise<void> | null = null;
  #stream: Readable | null = null;
  #lastSeconds = 0;
  #closed = false;

  constructor(docker: Docker, label: string) {
    this.#docker = docker;
    this.#label = label;
  }

  /** To be awaited before a container is started. What fails is tried again by the next call. */
  open(): Promise<void> {
    this.#opening ??= this.#connect().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  /**
   * Exit code of a program or a container; null when nobody will know. To be called before it is
   * started, since what has ended is not told twice.
   */
  end(id: string): Promise<number | null> {
    return new Promise((resolve) => this.#waiters.set(id, resolve));
  }

  /** It was never started, and nobody waits for its end. */
  forget(id: string): void {
    this.#waiters.delete(id);
  }

  close(): void {
    this.#closed = true;
    this.#stream?.destroy();
    for (const settle of this.#waiters.values()) settle(null);
    this.#waiters.clear();
  }

  async #connect(): Promise<void> {
    const filters = {
      type: ['container' as const],
      label: [this.#label],
      event: ['exec_die', 'die'],
    };
    // What was told within that second comes again, and nobody waits for it any more.
    const since = this.#lastSeconds === 0 ? {} : { since: this.#lastSeconds };
    const stream = (await this.#docker.getEvents({ filters, ...since })) as Readable;
    this.#stream = stream;
    let text = '';
    stream.on('data', (data: Buffer) => {
      text += data.toString('utf8');
      for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n')) {
        this.#take(text.slice(0, at));
        text = text.slice(at + 1);
      }
    });
    stream.on('error', () => undefined);
    stream.on('close', () => this.#reconnect());
  }

  #reconnect(): void {
    if (this.#closed) return;
    setTimeout(() => {
      if (!this.#closed) this.#connect().catch(() => this.#reconnect());
    }, reconnectDelayMs).unref();
  }

  #take(line: string): void {
    if (line.trim() === '') return;
    const { Action, Actor, time = 0 } = JSON.parse(line) as DaemonEvent;
    this.#lastSeconds = Math.max(this.#lastSeconds, time);
    const attributes = Actor?.Attributes ?? {};
    const id = Action === 'die' ? Actor?.ID : attributes.execID;
    const settle = id === undefined ? undefined : this.#waiters.get(id);
    if (id === undefined || settle === undefined) return;
    this.#waiters.delete(id);
    settle(Number(attributes.exitCode ?? killedExitCode));
  }
}

const killedExitCode = 137;
