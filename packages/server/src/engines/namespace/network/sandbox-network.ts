import { closeSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type EgressPolicy, SandgateError } from '@sandgate/core';
import type { EgressGate, EgressTraffic } from '../../egress/egress-gate.ts';
import type { EgressProxy } from '../../egress/egress-proxy.ts';
import { proxyEnvironment } from '../../egress/proxy-environment.ts';
import type { JobHost } from '../exec/job-host.ts';
import { openNetworkNamespace } from './open-network-namespace.ts';
import { SocketNotOpened, type SocketOpener, type SocketPlace } from './socket-opener.ts';

/**
 * Where programs in a sandbox find the proxy. Not 127.0.0.1, where their own servers are and `dial`
 * leads to.
 */
const proxyAddress = '127.0.0.2';
const proxyPort = 3_128;
/** At a time, being opened. */
const maxRequests = 64;

export interface SandboxNetworkParts {
  /** Null: this machine cannot, and every call says so. */
  readonly opener: SocketOpener | null;
  readonly proxy: EgressProxy;
  readonly gate: EgressGate;
  readonly process: Pick<JobHost, 'running' | 'onEnd'> & { readonly pid: number | undefined };
}

/**
 * The network of a sandbox, which stays one with nothing but a loopback: a proxy of the server listens
 * on it, and the server connects to ports on it. Both by sockets that were opened inside and handed
 * over, so nothing runs for it, and without a use there is nothing at all.
 */
export class SandboxNetwork {
  readonly #parts: SandboxNetworkParts;
  readonly #dialled = new Set<Socket>();
  #namespaceFd: number | null = null;
  #opening: Promise<void> | null = null;
  #server: Server | null = null;
  #requests = 0;
  #used = false;

  constructor(parts: SandboxNetworkParts) {
    this.#parts = parts;
    parts.process.onEnd(() => this.#close());
  }

  /** Of every program that starts from now on; the first part of its environment. */
  environment(): Readonly<Record<string, string>> {
    return this.#server === null ? {} : proxyEnvironment(`http://${proxyAddress}:${proxyPort}`);
  }

  /** Null: the sandbox never had a way out. */
  traffic(): EgressTraffic | null {
    return this.#used ? this.#parts.gate.traffic() : null;
  }

  /** Opens the way to the proxy unless nothing may be reached. @throws SandgateError */
  async setPolicy(policy: EgressPolicy): Promise<void> {
    // At once, also while the way is being opened: the latest call is the one that holds.
    this.#parts.gate.setPolicy(policy);
    if (policy.mode === 'deny_all') return;
    this.#opening ??= this.#openProxy();
    try {
      await this.#opening;
    } catch (cause) {
      this.#opening = null;
      throw explain(cause);
    }
  }

  /** @throws SandgateError `port_closed` */
  async dial(port: number): Promise<Duplex> {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) throw portClosed(port);
    if (this.#requests >= maxRequests) {
      throw new SandgateError(
        'capacity_exceeded',
        'Too many connections to ports of this sandbox are being opened.',
      );
    }
    try {
      const socket = await this.#connect(port, '127.0.0.1').catch((cause: unknown) => {
        if (isClosed(cause)) return this.#connect(port, '::1');
        throw cause;
      });
      return this.#keep(socket);
    } catch (cause) {
      throw isClosed(cause) ? portClosed(port) : explain(cause);
    }
  }

  async #openProxy(): Promise<void> {
    const { gate, proxy, process } = this.#parts;
    const server = await this.#inNamespace((opener, namespaceFd) =>
      opener.listen({ namespaceFd, address: proxyAddress, port: proxyPort }),
    );
    if (!process.running) {
      server.close();
      throw ended();
    }
    server.on('connection', (socket) => proxy.accept(socket, gate));
    server.on('error', () => {});
    this.#server = server;
    this.#used = true;
  }

  #connect(port: number, address: SocketPlace['address']): Promise<Socket> {
    return this.#inNamespace((opener, namespaceFd) =>
      opener.connect({ namespaceFd, address, port }),
    );
  }

  #keep(socket: Socket): Duplex {
    if (!this.#parts.process.running) {
      socket.destroy();
      throw ended();
    }
    socket.allowHalfOpen = true;
    socket.setNoDelay(true);
    // Whoever dials may have no listener yet, and a reset is told by the close.
    socket.on('error', () => {});
    this.#dialled.add(socket);
    socket.once('close', () => this.#dialled.delete(socket));
    return socket;
  }

  /** The descriptor must stay what it is until the answer is there, also when the sandbox ends. */
  async #inNamespace<Opened>(
    open: (opener: SocketOpener, namespaceFd: number) => Promise<Opened>,
  ): Promise<Opened> {
    const { opener, process } = this.#parts;
    if (opener === null) {
      throw new SandgateError(
        'capability_missing',
        'Sandboxes of this server have no network; `msb doctor` says what it lacks.',
      );
    }
    if (!process.running || process.pid === undefined) throw ended();
    this.#requests += 1;
    try {
      this.#namespaceFd ??= openNetworkNamespace(process.pid);
      return await open(opener, this.#namespaceFd);
    } catch (cause) {
      throw process.running ? cause : ended();
    } finally {
      this.#requests -= 1;
      if (!process.running) this.#closeNamespace();
    }
  }

  #close(): void {
    this.#server?.close();
    this.#parts.gate.close();
    for (const socket of this.#dialled) socket.destroy();
    this.#closeNamespace();
  }

  #closeNamespace(): void {
    if (this.#requests > 0 || this.#namespaceFd === null) return;
    closeSync(this.#namespaceFd);
    this.#namespaceFd = null;
  }
}

const isClosed = (cause: unknown): boolean =>
  cause instanceof SocketNotOpened && cause.kind === 'closed_port';

const portClosed = (port: number): SandgateError =>
  new SandgateError('port_closed', `No program in the sandbox listens on port ${port}.`);

const ended = (): SandgateError =>
  new SandgateError('sandbox_ended', 'The sandbox is not running any more.');

function explain(cause: unknown): SandgateError {
  if (cause instanceof SandgateError) return cause;
  if (cause instanceof SocketNotOpened && cause.kind === 'taken_port') {
    return new SandgateError(
      'sandbox_busy',
      `A program in the sandbox listens on ${proxyAddress}:${proxyPort}, where its way to the network is to be. End it, and try again.`,
    );
  }
  return new SandgateError('engine_failed', 'The network of the sandbox could not be opened.', {
    cause,
  });
}
