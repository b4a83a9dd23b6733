import { connect, isIP, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import {
  type Clock,
  decideEgress,
  type EgressDenial,
  type EgressPolicy,
  type EgressRules,
  type EgressTarget,
  type MachineEgressRules,
  normalizeHost,
} from '@sandgate/core';
import { DenialBudget } from './denial-budget.ts';
import { EgressRefused } from './egress-refused.ts';
import type { ResolveName } from './resolve-name.ts';

export interface EgressGateOptions {
  readonly sandboxId: string;
  readonly policy: EgressPolicy;
  readonly rules: EgressRules;
  readonly resolve: ResolveName;
  readonly clock: Clock;
  readonly onDenied?: ((denial: EgressDenial) => void) | undefined;
}

export interface EgressTraffic {
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** As long as Linux by itself waits for an answer to three of its tries (tcp(7), tcp_syn_retries). */
const connectTimeoutMs = 15_000;
/** From one address of a name to the next, while the first may still answer. */
const attemptTimeoutMs = 1_000;
const maxNameCharacters = 253;

/** The one way out of a sandbox: its policy, and the connections that are open under it. */
export class EgressGate {
  readonly #options: EgressGateOptions;
  readonly #open = new Map<Socket, EgressTarget>();
  readonly #denials: DenialBudget;
  #policy: EgressPolicy;
  #closed = false;
  #past: EgressTraffic = { receivedBytes: 0, sentBytes: 0 };

  constructor(options: EgressGateOptions) {
    this.#options = options;
    this.#policy = options.policy;
    this.#denials = new DenialBudget(options.clock);
  }

  /** Holds from now on: what is open and not allowed any more is cut. */
  setPolicy(policy: EgressPolicy): void {
    this.#policy = policy;
    const rules = this.#rules();
    for (const [socket, target] of this.#open) {
      if (this.#refusal(target, rules) !== null) socket.destroy();
    }
  }

  /**
   * Connects to a host that a program named. The addresses that were judged are the ones that are
   * connected to: the name is not resolved again. The socket stays readable when it has been ended.
   * @throws EgressRefused
   */
  async connect(named: string, port: number, signal: AbortSignal): Promise<Socket> {
    const host = normalizeHost(named);
    requireTarget(host, port);
    this.#require({ host, port, address: null });
    const found = isIP(host) === 0 ? await this.#resolve(host) : [host];
    const judged = found.map((address) => ({ host, port, address }));
    const rules = this.#rules();
    const allowed = judged.filter((target) => this.#refusal(target, rules) === null);
    const [first = judged[0]] = allowed;
    if (first === undefined) throw unresolved(host);
    this.#require(first);
    if (signal.aborted || this.#closed) throw new EgressRefused('unreachable', 'It is too late.');
    const socket = openSocket(
      first,
      allowed.map(({ address }) => address),
    );
    this.#hold(socket, first);
    return connected(socket, host, signal);
  }

  /** Bytes since the start, as they went through connections. */
  traffic(): EgressTraffic {
    let { receivedBytes, sentBytes } = this.#past;
    for (const socket of this.#open.keys()) {
      receivedBytes += socket.bytesRead;
      sentBytes += socket.bytesWritten;
    }
    return { receivedBytes, sentBytes };
  }

  close(): void {
    this.#closed = true;
    for (const socket of this.#open.keys()) socket.destroy();
  }

  #hold(socket: Socket, target: EgressTarget): void {
    this.#open.set(socket, target);
    socket.once('close', () => {
      const { receivedBytes, sentBytes } = this.#past;
      this.#past = {
        receivedBytes: receivedBytes + socket.bytesRead,
        sentBytes: sentBytes + socket.bytesWritten,
      };
      this.#open.delete(socket);
    });
  }

  async #resolve(host: string): Promise<readonly string[]> {
    try {
      return await this.#options.resolve(host);
    } catch {
      throw unresolved(host);
    }
  }

  #require(target: EgressTarget): void {
    const reason = this.#refusal(target);
    if (reason === null) return;
    const { sandboxId, clock, onDenied } = this.#options;
    const { host, port } = target;
    if (this.#denials.take()) onDenied?.({ sandboxId, atMs: clock.nowMs(), host, port, reason });
    throw new EgressRefused('policy', reason);
  }

  #refusal(target: EgressTarget, rules = this.#rules()): string | null {
    const decision = decideEgress(this.#policy, rules, target);
    return decision.allowed ? null : decision.reason;
  }

  /** Addresses of the machine change while the server runs. */
  #rules(): MachineEgressRules {
    const ownAddresses = Object.values(networkInterfaces()).flatMap((interfaces) =>
      (interfaces ?? []).map(({ address }) => address),
    );
    return { ...this.#options.rules, ownAddresses };
  }
}

function requireTarget(host: string, port: number): void {
  const plain = /^[a-z0-9._:-]+$/.test(host) && host.length <= maxNameCharacters;
  if (plain && Number.isInteger(port) && port >= 1 && port <= 65_535) return;
  throw new EgressRefused('malformed', 'There is no such host or port.');
}

const unresolved = (host: string): EgressRefused =>
  new EgressRefused('unresolved', `The name ${host} has no address.`);

function openSocket({ host, port }: EgressTarget, addresses: readonly string[]): Socket {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  return connect({
    host,
    port,
    allowHalfOpen: true,
    noDelay: true,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: attemptTimeoutMs,
    lookup: (_host, _options, done) => done(null, found),
  });
}

function connected(socket: Socket, host: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const abandon = (): void => void socket.destroy();
    const timer = setTimeout(abandon, connectTimeoutMs);
    signal.addEventListener('abort', abandon, { once: true });
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abandon);
    };
    let code = 'no answer in time';
    socket.on('error', (cause) => {
      if ('code' in cause) code = String(cause.code);
    });
    socket.once('connect', () => {
      settle();
      resolve(socket);
    });
    socket.once('close', () => {
      settle();
      reject(new EgressRefused('unreachable', `${host} cannot be reached: ${code}.`));
    });
  });
}
