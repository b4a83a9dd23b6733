import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { OutputChunk, ProcessSignal } from '@sandgate/core';
import type Docker from 'dockerode';
import type { ContainerAgent } from './container-agent.ts';
import type { ContainerEvents } from './container-events.ts';
import { explainDocker } from './docker-failure.ts';
import { FrameReader } from './frame-reader.ts';
import { OutputLanes } from './output-lanes.ts';
import {
  maxReportBytes,
  parseWrapperReport,
  type WrappedProgram,
  type WrapperReport,
  wrapProgram,
} from './program-wrapper.ts';

/** How long output is followed after the program's end, when something it left behind holds it open. */
const outputGraceMs = 100;

/** Where programs are started. */
export interface ProgramHost {
  readonly container: Docker.Container;
  readonly events: ContainerEvents;
  readonly agent: ContainerAgent;
}

export type OnOutput = (chunk: OutputChunk) => void | Promise<void>;

/** A program that the daemon runs in a container, and the one connection that its streams share. */
export class DockerProgram {
  /** What the wrapper said; null when it ended without a word. */
  readonly started: Promise<WrapperReport | null>;
  /** Exit code, or null when nobody knows. The output may still be on its way. */
  readonly ended: Promise<number | null>;
  /** Resolves when all output was delivered, rejects with what `onOutput` throws. */
  readonly delivered: Promise<void>;
  readonly #agent: ContainerAgent;
  readonly #connection: Duplex;
  #isEnded = false;

  private constructor(
    agent: ContainerAgent,
    connection: Duplex,
    ended: Promise<number | null>,
    token: string,
    onOutput: OnOutput,
  ) {
    this.#agent = agent;
    this.#connection = connection;
    this.ended = ended.then((exitCode) => {
      this.#isEnded = true;
      return exitCode;
    });
    connection.on('error', () => undefined);
    const started = Promise.withResolvers<WrapperReport | null>();
    this.started = started.promise;
    this.delivered = this.#deliver(token, started.resolve, onOutput);
    this.delivered.catch(() => undefined);
  }

  static async start(
    { container, events, agent }: ProgramHost,
    wrapped: WrappedProgram & { readonly stdin: boolean },
    onOutput: OnOutput,
  ): Promise<DockerProgram> {
    const token = randomBytes(16).toString('hex');
    const command = wrapProgram(token, wrapped);
    try {
      const exec = await container.exec({
        Cmd: [...command],
        AttachStdin: wrapped.stdin,
        AttachStdout: true,
        AttachStderr: true,
        WorkingDir: '/',
      });
      const ended = events.end(exec.id);
      // The daemon's answer to a start without input ends when the request does.
      const connection = await exec.start({ hijack: true, stdin: true }).catch((error: unknown) => {
        events.forget(exec.id);
        throw error;
      });
      if (!wrapped.stdin) connection.end();
      return new DockerProgram(agent, connection, ended, token, onOutput);
    } catch (error) {
      throw explainDocker(error);
    }
  }

  /** The writable end of fd 0. */
  get stdin(): Duplex {
    return this.#connection;
  }

  /** Sent when the program runs. Never throws, and does nothing when it has ended. */
  signal(signal: ProcessSignal, target: 'process' | 'group'): void {
    void this.started.then((report) => {
      if (report?.kind === 'started' && !this.#isEnded) {
        this.#agent.signal(signal, report.pid, target);
      }
    });
  }

  /** Waits for what the program had written, and no longer for what others write to its streams. */
  async drain(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, outputGraceMs);
    });
    try {
      await Promise.race([this.delivered, grace]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Lets go of the streams. */
  close(): void {
    this.#connection.destroy();
  }

  async #deliver(
    token: string,
    report: (report: WrapperReport | null) => void,
    onOutput: OnOutput,
  ): Promise<void> {
    const frames = new FrameReader();
    const lanes = new OutputLanes(onOutput);
    let heard = false;
    let line = Buffer.alloc(0);
    const held: OutputChunk[] = [];
    /** Takes the wrapper's line from the front of stderr, and gives back what follows it. */
    const listen = (data: Buffer): Buffer => {
      line = Buffer.concat([line, data]);
      const end = line.indexOf(10);
      if (end < 0 && line.length <= maxReportBytes) return Buffer.alloc(0);
      heard = true;
      report(parseWrapperReport(token, line.toString('latin1', 0, Math.max(end, 0))));
      return line.subarray(end + 1);
    };
    try {
      for await (const data of this.#connection) {
        for (const chunk of frames.read(data)) {
          let rest = chunk.data;
          if (!heard) {
            if (chunk.stream === 'stdout') {
              held.push(chunk);
              continue;
            }
            rest = listen(rest);
            if (!heard) continue;
            // Whoever waits for the start is told of it before there is output.
            await new Promise((resolve) => setImmediate(resolve));
            for (const early of held.splice(0)) await lanes.give(early);
          }
          if (rest.length > 0) await lanes.give({ stream: chunk.stream, data: rest });
        }
      }
    } catch (error) {
      if (!isConnectionError(error)) throw error;
    } finally {
      report(null);
    }
    await lanes.finish();
  }
}

/** A connection that breaks has ended: what became of the program is told by its end. */
const isConnectionError = (error: unknown): boolean => {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE';
};
