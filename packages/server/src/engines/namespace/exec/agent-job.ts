import { closeSync, unlink } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { type ProcessSignal, SandgateError } from '@sandgate/core';
import type { ProgramStart } from '../../kernel/kernel-command.ts';
import { type StartTimer, startRealTimer } from '../../kernel/start-timer.ts';
import { shellCall } from '../../quote-shell.ts';
import {
  isShellsOwn,
  requireProgram,
  requireShortArguments,
  requireVariableName,
} from '../../valid-command.ts';
import { explainShortage } from '../descriptor-shortage.ts';
import { errorCodeOf } from '../limits/cgroup-files.ts';
import { openFifo, placeFifo } from './fifo-pool.ts';
import type { JobHost } from './job-host.ts';
import { type JobReport, maxReportBytes, parseJobReport } from './job-report.ts';

export interface JobSpec {
  readonly argv: readonly string[];
  /** What has to be there to be executed. Default: the first word of `argv`. */
  readonly program?: string;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly stdin: boolean;
  readonly control: boolean;
  /** A program that needs less help with its start than any other would. Default: false for all. */
  readonly start?: ProgramStart;
  /** `started` tells of a program that takes every signal, at the price of one more exec. Default: false. */
  readonly reportsStart?: boolean;
  /** The longest that the agent may take from the call to the program's start. */
  readonly startDeadlineMs: number;
  /** Timers that stand still while the job cannot run. Default: real ones. */
  readonly startTimer?: StartTimer;
}

/** How a job came to its end. */
export type JobEnd =
  | Exclude<JobReport, { kind: 'started' }>
  /** Nobody knows: what watched it inside was killed, or could not be started. */
  | { readonly kind: 'lost' };

/** The read end of a FIFO. `fd` is the socket's own. */
export interface FifoReader {
  readonly fd: number;
  readonly socket: Socket;
}

/** A program started in a sandbox by its agent: three to five FIFOs and what is known of its end. */
export class AgentJob {
  /** What had to be there to be executed. */
  readonly program: string;
  readonly stdout: FifoReader;
  readonly stderr: FifoReader;
  /** Writable end of fd 0, once the program runs. Rejects when it could not be opened. */
  readonly stdin: Promise<Socket | null>;
  readonly control: FifoReader | null;
  /** Resolves when the program runs, or with false when it never did. */
  readonly started: Promise<boolean>;
  readonly ended: Promise<JobEnd>;
  readonly startTimer: StartTimer;
  readonly #host: JobHost;
  readonly #id: number;
  readonly #paths: string[] = [];
  readonly #stock: string[];
  readonly #streams: Socket[] = [];
  #pid: number | null = null;
  #end: JobEnd | null = null;
  #pendingSignals: (() => void)[] = [];
  #settleEnd: (end: JobEnd) => void = () => {};
  #settleStarted: (started: boolean) => void = () => {};
  #settleStdin: (stdin: Socket | null) => void = () => {};
  #failStdin: (cause: unknown) => void = () => {};
  #heldStdin: number | null = null;

  constructor(host: JobHost, id: number, spec: JobSpec, call: string, fifos: readonly string[]) {
    this.program = spec.program ?? spec.argv[0] ?? '';
    this.#host = host;
    this.#stock = [...fifos];
    this.#id = id;
    this.startTimer = spec.startTimer ?? startRealTimer;
    this.ended = new Promise((resolve) => {
      this.#settleEnd = resolve;
    });
    this.started = new Promise((resolve) => {
      this.#settleStarted = resolve;
    });
    this.stdin = new Promise((resolve, reject) => {
      this.#settleStdin = resolve;
      this.#failStdin = reject;
    });
    // The one who feeds the program sees it.
    this.stdin.catch(() => {});
    let status: Socket | null = null;
    try {
      this.stdout = this.#stream('out');
      this.stderr = this.#stream('err');
      this.control = spec.control ? this.#stream('control') : null;
      status = this.#readable('status').socket;
      // Held open for both directions: the agent's end then opens at once, and the program does not
      // see an end of input before the first byte.
      if (spec.stdin) this.#heldStdin = openFifo(this.#fifo('in'), 'hold');
      else this.#settleStdin(null);
      this.#watch(status, spec.startDeadlineMs);
      host.send(call);
    } catch (cause) {
      status?.destroy();
      this.close();
      host.fifos.giveBack(this.#stock);
      throw cause;
    }
  }

  /** Never throws. Sent when the program runs; nothing happens when it has ended. */
  kill(signal: ProcessSignal, target: 'process' | 'group'): void {
    if (this.#end !== null) return;
    const send = (): void => {
      const name = target === 'group' ? 'signal_group' : 'signal';
      this.#host.send(shellCall(name, signal.slice('SIG'.length), String(this.#pid)));
    };
    if (this.#pid === null) this.#pendingSignals.push(send);
    else send();
  }

  /** Releases the host's ends. What still writes inside gets SIGPIPE. */
  close(): void {
    for (const stream of this.#streams) stream.destroy();
    this.#unlinkFifos();
    this.#releaseStdin();
    this.#settleStdin(null);
  }

  #stream(name: string): FifoReader {
    const reader = this.#readable(name);
    this.#streams.push(reader.socket);
    return reader;
  }

  #readable(name: string): FifoReader {
    const fd = openFifo(this.#fifo(name), 'read');
    const socket = new Socket({ fd, readable: true, writable: false });
    // A read end has no errors of its own that anyone could act on: its close says enough.
    socket.on('error', () => {});
    return { fd, socket };
  }

  #fifo(name: string): string {
    const path = join(this.#host.ioDirectory, `${this.#id}.${name}`);
    const fifo = this.#stock.pop();
    if (fifo === undefined) throw new Error('a job was given too few FIFOs');
    this.#paths.push(path);
    placeFifo(fifo, path, this.#host.identity);
    return path;
  }

  #watch(status: Socket, startDeadlineMs: number): void {
    let text = '';
    let forget = (): void => {};
    const clearDeadline = this.startTimer(() => {
      this.#host.violation('the agent did not start a program in time');
    }, startDeadlineMs);
    const finish = (end: JobEnd): void => {
      if (this.#end !== null) return;
      this.#end = end;
      forget();
      clearDeadline();
      status.destroy();
      this.#unlinkFifos();
      this.#releaseStdin();
      this.#settleStarted(false);
      this.#settleStdin(null);
      this.#settleEnd(end);
    };
    status.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      for (let at = text.indexOf('\n'); at >= 0 && this.#end === null; at = text.indexOf('\n')) {
        const report = parseJobReport(text.slice(0, at));
        text = text.slice(at + 1);
        if (report === null || (report.kind === 'started' && this.#pid !== null)) {
          this.#host.violation('a job reported nonsense');
          finish({ kind: 'lost' });
        } else if (report.kind === 'started') {
          clearDeadline();
          this.#started(report.pid);
        } else finish(report);
      }
      if (text.length > maxReportBytes) {
        this.#host.violation('a job reported too much');
        finish({ kind: 'lost' });
      }
    });
    status.on('close', () => finish({ kind: 'lost' }));
    forget = this.#host.onEnd(() => finish({ kind: 'lost' }));
  }

  #started(pid: number): void {
    this.#pid = pid;
    if (this.#heldStdin !== null) {
      let stdin: Socket | null = null;
      try {
        const fd = openFifo(join(this.#host.ioDirectory, `${this.#id}.in`), 'write');
        stdin = new Socket({ fd, readable: false, writable: true });
        // EPIPE: the program does not read its input, which is its right.
        stdin.on('error', () => {});
        this.#streams.push(stdin);
      } catch (cause) {
        // ENXIO: the program has closed its input or is gone. Otherwise it has to be told from one
        // whose input has ended.
        if (errorCodeOf(cause) !== 'ENXIO') this.#failStdin(explainShortage(cause));
      }
      this.#releaseStdin();
      this.#settleStdin(stdin);
    }
    this.#unlinkFifos();
    for (const send of this.#pendingSignals) send();
    this.#pendingSignals = [];
    this.#settleStarted(true);
  }

  #releaseStdin(): void {
    if (this.#heldStdin !== null) closeSync(this.#heldStdin);
    this.#heldStdin = null;
  }

  #unlinkFifos(): void {
    // A sandbox that has ended has taken its directory along.
    for (const path of this.#paths.splice(0)) unlink(path, () => {});
  }
}

/**
 * Starts a program. `id` is used once per sandbox.
 * @throws SandgateError `invalid_request`, `sandbox_ended`, `capacity_exceeded`
 */
export async function startAgentJob(host: JobHost, id: number, spec: JobSpec): Promise<AgentJob> {
  const call = jobCall(id, spec);
  const count = 3 + (spec.stdin ? 1 : 0) + (spec.control ? 1 : 0);
  const fifos = await host.fifos.take(count).catch((cause: unknown) => {
    throw explainShortage(cause);
  });
  if (!host.running) {
    host.fifos.giveBack(fifos);
    throw new SandgateError('sandbox_ended', 'The sandbox is not running any more.');
  }
  try {
    return new AgentJob(host, id, spec, call, fifos);
  } catch (cause) {
    throw explainShortage(cause);
  }
}

function jobCall(id: number, spec: JobSpec): string {
  const program = requireProgram(spec.argv);
  const names = Object.keys(spec.environment);
  for (const name of names) requireVariableName(name);
  const assign = (name: string): string => `${name}=${spec.environment[name]}`;
  const exported = names.filter((name) => !isShellsOwn(name)).map(assign);
  // `env` takes a first word with an equals sign for a variable, so such a program runs through sh.
  const command = program.includes('=')
    ? ['/bin/sh', '-c', 'exec "$0" "$@"', ...spec.argv]
    : spec.argv;
  const assigned = names.filter(isShellsOwn).map(assign);
  const words = [...assigned, ...command];
  const { makesSession = false, resetsSignals = false, movesStreams = false } = spec.start ?? {};
  const reportsStart = spec.reportsStart === true;
  const resets = !resetsSignals || (assigned.length > 0 && !reportsStart);
  // Between the reporting shell and the program, where that shell would take them for its own.
  const readsVariables = reportsStart && (assigned.length > 0 || program.startsWith('-'));
  requireShortArguments([...exported, ...words]);
  const options = [
    spec.stdin ? 'i' : '',
    spec.control ? 'c' : '',
    makesSession ? '' : 's',
    resets ? 'e' : '',
    movesStreams ? 'm' : '',
    reportsStart ? 'r' : '',
    readsVariables ? 'v' : '',
  ].join('');
  const count = String(exported.length);
  return shellCall(
    'job',
    String(id),
    options,
    spec.cwd,
    spec.program ?? program,
    count,
    ...exported,
    ...words,
  );
}
