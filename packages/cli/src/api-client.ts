import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import { createParser } from 'eventsource-parser';
import type { WebSocket } from 'ws';
import { callServer, unanswered } from './call-server.ts';
import { failure } from './exit.ts';
import { findServer } from './find-server.ts';
import { type HttpCall, textOf } from './http-call.ts';
import { refusalOf } from './refusal.ts';
import type { Terminal } from './terminal.ts';

/** Options of every command that calls the native API. */
export interface ServerOptions {
  readonly server?: string;
  readonly namespace?: string;
}

export function addServerOptions(command: Command): Command {
  return command
    .option(
      '-s, --server <address>',
      "server to call (default: MSB_SERVER_URL, else this machine's own)",
    )
    .option('-n, --namespace <name>', "namespace to work in (default: the key's own)");
}

export interface ApiCall {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly json?: object;
  readonly upload?: Readable;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ApiEvent {
  readonly event: string;
  readonly data: unknown;
}

type Method = HttpCall['method'];

/** Sandgate's own API. All methods throw an `Exit` that says what the server said. */
export interface ApiClient {
  /** The JSON of an answer. */
  call<Answer>(method: Method, path: string, call?: ApiCall): Promise<Answer>;
  /** An answer as it comes. */
  open(method: Method, path: string, call?: ApiCall): Promise<IncomingMessage>;
  /** Events as they come. Whoever stops reading ends what they tell of. */
  events(method: Method, path: string, call?: ApiCall): AsyncGenerator<ApiEvent>;
  /** A connection that is open, in both directions. */
  socket(path: string, query: NonNullable<ApiCall['query']>): Promise<WebSocket>;
}

/**
 * A path below `/api/v1/`, with the names in it encoded.
 * @throws Exit for `.` and `..`, which are steps in any path
 */
export function apiPath(parts: TemplateStringsArray, ...names: readonly string[]): string {
  const steps = names.filter((name) => /^\.*$/.test(name));
  if (steps.length > 0) throw failure(`"${steps[0]}" is not a name.`);
  return String.raw({ raw: parts }, ...names.map(encodeURIComponent));
}

/** The native API of the server that an option, the environment or `.env` names. */
export async function connectApi(terminal: Terminal, options: ServerOptions): Promise<ApiClient> {
  const { url: base, key } = await findServer(terminal, 'api/v1/', options.server);
  const workspace: Record<string, string> =
    options.namespace === undefined ? {} : { 'x-workspace-id': options.namespace };

  const open: ApiClient['open'] = async (method, path, call = {}) => {
    const url = addressOf(base, path, call.query);
    const { json, upload } = call;
    const body = json === undefined ? upload : JSON.stringify(json);
    const type = json === undefined ? 'application/octet-stream' : 'application/json';
    const response = await callServer(
      { url, key },
      {
        method,
        headers: {
          ...workspace,
          ...(body === undefined ? {} : { 'content-type': type }),
          ...call.headers,
        },
        ...(body === undefined ? {} : { body }),
      },
    );
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    throw await refusalOf(response);
  };

  return {
    open,
    async socket(path, query) {
      // Only a terminal is worth the time that it takes to load.
      const { openWebSocket } = await import('./open-web-socket.ts');
      return await openWebSocket({ url: addressOf(base, path, query), key }, workspace);
    },
    async call<Answer>(method: Method, path: string, call?: ApiCall) {
      const text = await textOf(await open(method, path, call));
      return (text === '' ? null : parsed(text)) as Answer;
    },
    async *events(method, path, call) {
      const headers = { ...call?.headers, accept: 'text/event-stream' };
      const response = await open(method, path, { ...call, headers });
      const arrived: ApiEvent[] = [];
      const parser = createParser({
        onEvent: ({ event = 'message', data }) => arrived.push({ event, data: parsed(data) }),
      });
      const pieces = response.setEncoding('utf8')[Symbol.asyncIterator]();
      try {
        for (;;) {
          const piece = await pieces.next().catch((error) => {
            throw unanswered(base, error);
          });
          if (piece.done) return;
          parser.feed(piece.value);
          yield* arrived.splice(0);
        }
      } finally {
        response.destroy();
      }
    },
  };
}

function addressOf(base: URL, path: string, query: ApiCall['query'] = {}): URL {
  const url = new URL(path, base);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw failure('The server answered with something that is not JSON.');
  }
}
