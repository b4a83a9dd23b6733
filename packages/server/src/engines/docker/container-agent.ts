import type { Duplex } from 'node:stream';
import type { ProcessSignal } from '@sandgate/core';
import type Docker from 'dockerode';

/**
 * The first programs of a container. Process 1 cannot be signalled by those in it, collects what they
 * leave behind, and ends with the second. That one reads lines on the container's input, and so ends
 * when the server's connection does: no container outlives its server.
 */
export const firstPrograms = [
  '/bin/sh',
  '-c',
  'trap "" HUP INT TERM; exec 3<&0 </dev/null; /bin/sh -c "$0" <&3 3<&- & exec 3<&-; wait "$!"',
  'trap "" HUP INT TERM; while IFS= read -r line; do eval "$line" 2>/dev/null; done',
];

/** The line to the second of them: signals go by it in the order in which they are sent. */
export class ContainerAgent {
  readonly #connection: Duplex;

  private constructor(connection: Duplex) {
    this.#connection = connection;
    connection.on('error', () => undefined);
    connection.resume();
  }

  /** To be attached before the container starts. */
  static async attach(container: Docker.Container): Promise<ContainerAgent> {
    const connection = await container.attach({ stream: true, stdin: true, hijack: true });
    return new ContainerAgent(connection as Duplex);
  }

  /** To a process, or to its group. */
  signal(signal: ProcessSignal, pid: number, target: 'process' | 'group'): void {
    const kill = `kill -s ${signal.slice('SIG'.length)} --`;
    const line = target === 'group' ? `${kill} -${pid} || ${kill} ${pid}` : `${kill} ${pid}`;
    if (this.#connection.writable) this.#connection.write(`${line}\n`);
  }

  close(): void {
    this.#connection.destroy();
  }
}
