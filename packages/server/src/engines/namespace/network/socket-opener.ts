import { type ChildProcess, spawn } from 'node:child_process';
import { Server, Socket } from 'node:net';
import { explainShortage, requireDescriptors } from '../descriptor-shortage.ts';
import type { SocketProgram } from './socket-program.ts';

const deadlineMs = 10_000;
const idleMs = 60_000;
const maxStderrCharacters = 1_000;
/** Two for each of two streams, two for the error of an exec, and those that are moved. */
const spawnDescriptors = 12;

export interface SocketPlace {
  /** A descriptor of a network namespace, open until the answer is there. */
  readonly namespaceFd: number;
  readonly address: '127.0.0.1' | '127.0.0.2' | '::1';
  readonly port: number;
}

const failureKinds = ['closed_port', 'taken_port', 'failed'] as const;

/** Why a socket was not opened. */
export class SocketNotOpened extends Error {
  override readonly name = 'SocketNotOpened';
  readonly kind: (typeof failureKinds)[number];

  constructor(kind: SocketNotOpened['kind'], detail: string) {
    super(detail);
    this.kind = kind;
  }
}

type Settle = (outcome: Server | Socket | SocketNotOpened) => void;

/**
 * Opens sockets in the network namespaces of sandboxes, by a program of the host that enters them. Node
 * can do neither that nor receive a descriptor but in the form of its own child processes, which the
 * program speaks. One serves all sandboxes; it is started at its first use, ends when it has had
 * nothing to do for a while, and never runs anything of a sandbox's, so what it says is believed.
 */
export class SocketOpener {
  readonly name: string;
  readonly #program: SocketProgram;
  readonly #waiting = new Map<number, Settle>();
  #child: ChildProcess | null = null;
  #idle: NodeJS.Timeout | undefined;
  #lastId = 0;

  constructor(program: SocketProgram) {
    this.name = program.name;
    this.#program = program;
  }

  /** A server that listens in the namespace. @throws SocketNotOpened, SandgateError */
  async listen(place: SocketPlace): Promise<Server> {
    const opened = await this.#open('listen', place);
    if (opened instanceof Server) return opened;
    throw new SocketNotOpened('failed', 'no server was handed over');
  }

  /** A connection to a port in the namespace. @throws SocketNotOpened, SandgateError */
  async connect(place: SocketPlace): Promise<Socket> {
    const opened = await this.#open('connect', place);
    if (opened instanceof Socket) return opened;
    throw new SocketNotOpened('failed', 'no connection was handed over');
  }

  /** Ends the program. The next use starts it again. */
  close(): void {
    clearTimeout(this.#idle);
    this.#child?.kill('SIGKILL');
    this.#child = null;
  }

  async #open(action: 'listen' | 'connect', place: SocketPlace): Promise<Server | Socket> {
    const child = this.#child ?? this.#start();
    this.#lastId += 1;
    const id = this.#lastId;
    const outcome = await new Promise<Parameters<Settle>[0]>((resolve) => {
      const deadline = setTimeout(
        () => this.#settle(id, new SocketNotOpened('failed', 'no answer in time')),
        deadlineMs,
      );
      this.#waiting.set(id, (settled) => {
        clearTimeout(deadline);
        resolve(settled);
      });
      this.#watchIdle();
      const { namespaceFd, address, port } = place;
      child.send(`${id} ${action} ${namespaceFd} ${address} ${port}`, (error) => {
        if (error !== null) this.#settle(id, new SocketNotOpened('failed', error.message));
      });
    });
    if (outcome instanceof SocketNotOpened) throw outcome;
    return outcome;
  }

  #start(): ChildProcess {
    let child: ChildProcess;
    try {
      requireDescriptors(spawnDescriptors);
      child = spawn(this.#program.file, this.#program.args, {
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
        cwd: '/',
        env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      });
    } catch (cause) {
      throw explainShortage(cause);
    }
    this.#child = child;
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString('utf8')).slice(0, maxStderrCharacters);
    });
    child.on('message', (message, handle) => this.#receive(message, handle));
    const end = (reason: string): void => {
      if (this.#child !== child) return;
      this.#child = null;
      const failure = new SocketNotOpened('failed', `${this.name} ${stderr.trim() || reason}`);
      for (const id of this.#waiting.keys()) this.#settle(id, failure);
    };
    child.on('error', (cause) => end(cause.message));
    child.once('close', (status) => end(`ended with ${status}`));
    // It does not keep the server from ending, and ends with it.
    child.unref();
    child.channel?.unref();
    return child;
  }

  #receive(message: unknown, handle: unknown): void {
    const { id, failure, detail } = Object(message) as Record<string, unknown>;
    const kind = failureKinds.find((known) => known === failure);
    const opened = handle instanceof Server || handle instanceof Socket ? handle : null;
    const outcome = opened ?? new SocketNotOpened(kind ?? 'failed', String(detail ?? 'no socket'));
    this.#settle(Number(id), outcome);
  }

  #settle(id: number, outcome: Parameters<Settle>[0]): void {
    const settle = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (settle !== undefined) settle(outcome);
    // Nobody waits for it any more.
    else if (outcome instanceof Server) outcome.close();
    else if (outcome instanceof Socket) outcome.destroy();
  }

  #watchIdle(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      if (this.#waiting.size === 0) this.close();
      else this.#watchIdle();
    }, idleMs).unref();
  }
}
