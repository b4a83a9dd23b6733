import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import { createParser } from 'eventsource-parser';
import { callServer, unanswered } from './call-server.ts';
import { Exit, exitCodes, failure } from './exit.ts';
import { findServer } from './find-server.ts';
import { type HttpCall, textOf } from './http-call.ts';
import { printable } from './printable.ts';
import { property } from './rpc-client.ts';
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

/** The server's refusal of a call, in its own words. */
export class Refusal extends Exit {
  /** Stable, as `sandbox_not_found`; null where something before the server refused. */
  readonly errorCode: string | null;

  constructor(message: string, errorCode: string | null) {
    super(exitCodes.failure, message);
    this.errorCode = errorCode;
  }
}

/** Sandgate's own API. All methods throw an `Exit` that says what the server said. */
export interface ApiClient {
  /** The JSON of an answer. */
  call<Answer>(method: Method, path: string, call?: ApiCall): Promise<Answer>;
  /** An answer as it comes. */
  open(method: Method, path: string, call?: ApiCall): Promise<IncomingMessage>;
  /** Events as they come. Whoever stops reading ends what they tell of. */
  events(method: Method, path: string, call?: ApiCall): AsyncGenerator<ApiEvent>;
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
    const url = new URL(path, base);
    for (const [name, value] of Object.entries(call.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
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
    const errorCode = response.headers['x-error-code'];
    throw new Refusal(
      refusalText(status, await textOf(response)),
      typeof errorCode === 'string' ? errorCode : null,
    );
  };

  return {
    open,
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

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw failure('The server answered with something that is not JSON.');
  }
}

/** The server's own words, where it gave any: a proxy before it may answer in others. */
function refusalText(status: number, text: string): string {
  let detail: unknown;
  try {
    detail = property(JSON.parse(text), 'detail');
  } catch {
    detail = undefined;
  }
  if (typeof detail === 'string') return printable(detail);
  return `The server answered with HTTP status ${status}.`;
}
