import { randomBytes } from 'node:crypto';
import {
  type McpServer,
  type Sandboxes,
  SandgateError,
  type UpstreamAnswer,
  type UpstreamRequest,
  type Workspace,
} from '@sandgate/core';
import { failed, timedOut } from '../upstream-failure.ts';
import { CommandSession } from './command-session.ts';
import type { CommandUpstreamOptions } from './command-upstreams.ts';
import { openCommand } from './open-command.ts';
import { wholeAnswer } from './pending-answer.ts';
import { readStdioMessage, type StdioMessage } from './stdio-message.ts';

const sessionHeader = 'mcp-session-id';
/** How many ended sessions are told why they ended. */
const maxRemembered = 256;

/** A command while it is used: its sandbox, and a process for each session in it. */
export class CommandHost {
  readonly server: McpServer;
  readonly #options: CommandUpstreamOptions;
  readonly #workspace: Workspace;
  readonly #sessions = new Map<string, CommandSession>();
  /** Of requests without a session. */
  readonly #single = new Set<CommandSession>();
  readonly #remembered = new Map<string, string>();
  /** Id of the sandbox. */
  #sandbox: Promise<string> | null = null;
  #opening = 0;
  #lastUsedAtMs: number;
  #closed: SandgateError | null = null;

  constructor(server: McpServer, workspace: Workspace, options: CommandUpstreamOptions) {
    this.server = server;
    this.#workspace = workspace;
    this.#options = options;
    this.#lastUsedAtMs = options.clock.nowMs();
  }

  /** @throws SandgateError */
  async send(request: UpstreamRequest): Promise<UpstreamAnswer> {
    const id = request.headers[sessionHeader];
    if (id === undefined) return await this.#begin(request);
    const session = this.#sessions.get(id);
    if (session === undefined) return gone(request, this.#remembered.get(id));
    if (request.method === 'GET') return await session.listen(request);
    if (request.method === 'POST') return await session.post(request.body ?? '', request);
    session.end(failed('its session was ended'));
    return wholeAnswer(204, null);
  }

  /** Ends sessions in which nothing goes on. @returns whether it is of no more use */
  endIdle(): boolean {
    const { clock, idleMs } = this.#options;
    const beforeMs = clock.nowMs() - idleMs;
    for (const session of this.#sessions.values()) {
      if (session.idleSinceMs !== null && session.idleSinceMs <= beforeMs) {
        session.end(failed(`its session was idle for ${idleMs / 1_000} seconds`));
      }
    }
    return this.#inUse === 0 && this.#lastUsedAtMs <= beforeMs;
  }

  /** Ends every session, and the sandbox. */
  async close(why: SandgateError): Promise<void> {
    if (this.#closed !== null) return;
    this.#closed = why;
    for (const session of [...this.#sessions.values(), ...this.#single]) session.end(why);
    const id = await this.#sandbox?.catch(() => null);
    if (id != null) await this.#destroy(id);
  }

  get #inUse(): number {
    return this.#sessions.size + this.#single.size + this.#opening;
  }

  async #begin(request: UpstreamRequest): Promise<UpstreamAnswer> {
    const message = readStdioMessage(request.body ?? '');
    if (message?.kind !== 'request' || !begins(message, request)) return noSession(request);
    this.#makeRoom();
    this.#opening += 1;
    let session: CommandSession;
    const id = message.method === 'initialize' ? randomBytes(24).toString('base64url') : null;
    try {
      session = await this.#openSession(id);
    } finally {
      this.#opening -= 1;
    }
    const answer = await session.post(message.text, request);
    return id === null ? answer : withSession(answer, id);
  }

  async #openSession(id: string | null): Promise<CommandSession> {
    const command = openCommand(this.server);
    const sandboxId = await this.#readySandbox();
    if (this.#closed !== null) throw this.#closed;
    const { clock, timers, sandboxes, logs, answerMs } = this.#options;
    const session: CommandSession = new CommandSession({
      ...{ clock, answerMs, timedOut },
      single: id === null,
      after: (delayMs, run) => timers.after(delayMs, run),
      exec: (request) =>
        this.#options.asServer(() =>
          sandboxes.exec(this.#workspace, sandboxId, { ...command, ...request }),
        ),
      onLog: (data) => logs.append(sandboxId, data),
      onEnded: ({ message }) => {
        this.#lastUsedAtMs = Math.max(this.#lastUsedAtMs, session.lastUsedAtMs);
        this.#single.delete(session);
        if (id === null || !this.#sessions.delete(id)) return;
        this.#remembered.set(id, message);
        const [oldest] = this.#remembered.keys();
        if (this.#remembered.size > maxRemembered && oldest !== undefined) {
          this.#remembered.delete(oldest);
        }
      },
    });
    if (id === null) this.#single.add(session);
    else this.#sessions.set(id, session);
    return session;
  }

  /** The session that has been idle longest makes place: its client begins a new one when it comes back. */
  #makeRoom(): void {
    const { maxProcesses } = this.#options;
    if (this.#inUse < maxProcesses) return;
    let idlest: CommandSession | null = null;
    for (const session of this.#sessions.values()) {
      const sinceMs = session.idleSinceMs;
      if (sinceMs === null) continue;
      if (idlest === null || sinceMs < (idlest.idleSinceMs ?? 0)) idlest = session;
    }
    if (idlest !== null) {
      idlest.end(failed('its session made place for another one'));
      return;
    }
    throw new SandgateError(
      'capacity_exceeded',
      `This MCP server has ${maxProcesses} sessions, which is the most, and all of them are in use`,
    );
  }

  /** @returns the id of a sandbox that runs; one that ended has another in its place */
  async #readySandbox(): Promise<string> {
    const known = this.#sandbox;
    if (known !== null) {
      const id = await known;
      if (await this.#isThere(id)) return id;
      if (this.#sandbox === known) this.#sandbox = null;
    }
    this.#sandbox ??= this.#create();
    const made = this.#sandbox;
    try {
      return await made;
    } catch (error) {
      if (this.#sandbox === made) this.#sandbox = null;
      throw notStarted(error);
    }
  }

  async #isThere(id: string): Promise<boolean> {
    try {
      const { state } = await this.#options.sandboxes.find(this.#workspace, id);
      if (state === 'ready' || state === 'paused') return true;
      await this.#destroy(id);
    } catch {
      // It was destroyed.
    }
    return false;
  }

  async #create(): Promise<string> {
    const { asServer, sandboxes, idleMs } = this.#options;
    const { name, upstream } = this.server;
    const { template = null, egress = null } = upstream.kind === 'command' ? upstream : {};
    const { id } = await asServer(() =>
      sandboxes.create(this.#workspace, {
        name: `mcp-${name.replaceAll('_', '-').slice(0, 40)}-${randomBytes(4).toString('hex')}`,
        labels: { 'mcp-server': name },
        ...(template === null ? {} : { template }),
        ...(egress === null ? {} : { egress }),
        // What a server that dies leaves behind ends by itself.
        lifetime: { idleTimeoutMs: idleMs, oneShot: true },
      }),
    );
    return id;
  }

  async #destroy(id: string): Promise<void> {
    const { asServer, sandboxes } = this.#options;
    try {
      await asServer(
        (): ReturnType<Sandboxes['destroy']> => sandboxes.destroy(this.#workspace, id),
      );
    } catch (error) {
      const isGone = error instanceof SandgateError && error.code === 'sandbox_not_found';
      if (!isGone) this.#options.onError(error);
    }
  }
}

/** Revisions from 2026-07-28 on have no sessions: each request stands alone. */
function begins({ method, params }: StdioMessage, { headers }: UpstreamRequest): boolean {
  if (method === 'initialize') return true;
  const meta = params._meta;
  const inBody =
    typeof meta === 'object' && meta !== null && 'io.modelcontextprotocol/protocolVersion' in meta;
  return inBody || (headers['mcp-protocol-version'] ?? '') >= '2026-07-28';
}

function withSession(answer: UpstreamAnswer, id: string): UpstreamAnswer {
  return { ...answer, header: (name) => (name === sessionHeader ? id : answer.header(name)) };
}

const refusal = (status: number, { body }: UpstreamRequest, code: number, message: string) => {
  const id = readStdioMessage(body ?? '')?.id ?? 'null';
  const error = JSON.stringify({ code, message });
  return wholeAnswer(status, `{"jsonrpc":"2.0","id":${id},"error":${error}}`);
};

const gone = (request: UpstreamRequest, why = 'The session was not found'): UpstreamAnswer =>
  refusal(404, request, -32_001, `${why}. Begin a new session`);

const noSession = (request: UpstreamRequest): UpstreamAnswer =>
  request.method === 'GET' || request.method === 'DELETE'
    ? refusal(400, request, -32_000, 'Mcp-Session-Id: is missing')
    : refusal(400, request, -32_000, 'Mcp-Session-Id: is missing. Begin with initialize');

/** What is wrong is told to callers as far as they can do something about it. */
function notStarted(error: unknown): unknown {
  if (!(error instanceof SandgateError) || error.code === 'capacity_exceeded') return error;
  return failed(`its sandbox cannot be started: ${error.message}`, error);
}
