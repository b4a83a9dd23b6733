import { type McpServer, SandgateError, type Timers } from '@sandgate/core';
import type { Authorizer } from '../../authorize/authorizer.ts';

interface OpenExchange {
  readonly server: McpServer;
  /** Null: its server asks for no key. */
  readonly credential: string | null;
  readonly address: string;
  readonly cut: AbortController;
}

export interface OpenExchangesDependencies {
  readonly authorizer: Pick<Authorizer, 'identify'>;
  /** The server as it is stored now; null when it is gone or switched off. */
  readonly find: (name: string) => Promise<McpServer | null>;
  readonly timers: Timers;
  readonly onError: (error: unknown) => void;
}

const everyMs = 5_000;

/**
 * What is going on at the gate. A stream can be open for hours: every few seconds those are cut whose key
 * has come to its end, or whose server was changed.
 */
export class OpenExchanges {
  readonly #open = new Set<OpenExchange>();
  readonly #dependencies: OpenExchangesDependencies;
  /** Null: nothing is waited for. */
  #cancel: (() => void) | null = null;

  constructor(dependencies: OpenExchangesDependencies) {
    this.#dependencies = dependencies;
  }

  /** Runs work until its end, or until it is cut by its signal. */
  async run<Result>(
    facts: Omit<OpenExchange, 'cut'>,
    work: (cut: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const exchange = { ...facts, cut: new AbortController() };
    this.#open.add(exchange);
    this.#lookLater();
    try {
      return await work(exchange.cut.signal);
    } finally {
      this.#open.delete(exchange);
      if (this.#open.size === 0) this.#stopLooking();
    }
  }

  #lookLater(): void {
    if (this.#cancel !== null) return;
    const { timers, onError } = this.#dependencies;
    this.#cancel = timers.after(everyMs, () => {
      this.#look()
        .catch(onError)
        .finally(() => {
          this.#stopLooking();
          if (this.#open.size > 0) this.#lookLater();
        });
    });
  }

  #stopLooking(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  async #look(): Promise<void> {
    const { authorizer, find } = this.#dependencies;
    const refusals = new Map<string, Promise<SandgateError | null>>();
    const servers = new Map<string, Promise<McpServer | null>>();
    for (const { server, credential, address, cut } of [...this.#open]) {
      const current = servers.get(server.name) ?? find(server.name);
      servers.set(server.name, current);
      const stored = await current;
      if (stored?.id !== server.id || stored.updatedAtMs !== server.updatedAtMs)
        cut.abort(changed());
      if (credential === null || cut.signal.aborted) continue;
      const who = `${address} ${credential}`;
      const asked = refusals.get(who) ?? authorizer.identify({ credential, address });
      refusals.set(who, asked);
      const refusal = await asked;
      if (refusal !== null) cut.abort(refusal);
    }
  }
}

const changed = (): SandgateError =>
  new SandgateError('upstream_failed', 'The MCP server was changed or removed. Call again');
