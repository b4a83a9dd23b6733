import type { Socket } from 'node:net';
import type { EgressGate } from './egress-gate.ts';
import { HttpProxy } from './http-proxy.ts';
import { serveSocks, socksVersion } from './socks-proxy.ts';

const maxConnectionsPerSandbox = 256;
/** From the connection to the end of a request's head. */
const requestTimeoutMs = 30_000;

/**
 * What programs in sandboxes talk to: an HTTP proxy and SOCKS 5 on one port, told apart by the first
 * byte. One serves all sandboxes of a server.
 */
export class EgressProxy {
  readonly #http = new HttpProxy();
  readonly #perGate = new Map<EgressGate, number>();
  readonly #maxConnections: number;
  #connections = 0;

  /** Each connection takes two descriptors of the server. */
  constructor(maxConnections: number) {
    this.#maxConnections = maxConnections;
  }

  /** Takes a connection of a program of the sandbox that the gate is of. */
  accept(socket: Socket, gate: EgressGate): void {
    const own = this.#perGate.get(gate) ?? 0;
    if (own >= maxConnectionsPerSandbox || this.#connections >= this.#maxConnections) {
      socket.destroy();
      return;
    }
    this.#count(gate, socket, own);
    socket.allowHalfOpen = true;
    socket.on('error', () => {});
    socket.setNoDelay(true);
    const deadline = setTimeout(() => socket.destroy(), requestTimeoutMs);
    const started = (): void => clearTimeout(deadline);
    socket.once('close', started);
    socket.once('data', (first: Buffer) => {
      socket.pause();
      socket.unshift(first);
      if (first[0] === socksVersion) void serveSocks(socket, gate, started);
      else this.#http.serve(socket, gate, started);
    });
  }

  #count(gate: EgressGate, socket: Socket, own: number): void {
    this.#connections += 1;
    this.#perGate.set(gate, own + 1);
    socket.once('close', () => {
      this.#connections -= 1;
      const left = (this.#perGate.get(gate) ?? 1) - 1;
      if (left === 0) this.#perGate.delete(gate);
      else this.#perGate.set(gate, left);
    });
  }
}
