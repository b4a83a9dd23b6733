import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { EgressGate } from './egress-gate.ts';
import { EgressRefused } from './egress-refused.ts';
import { forwardedRequestHeaders, forwardedResponseHeaders } from './forwarded-headers.ts';
import { joinSockets } from './join-sockets.ts';

interface Client {
  readonly gate: EgressGate;
  /** To be called when the head of a request has come. */
  readonly started: () => void;
}

/** Status and reason phrase of each refusal (RFC 9110, 15). */
const statusOf: Readonly<Record<EgressRefused['kind'], readonly [number, string]>> = {
  policy: [403, 'Refused by the egress policy'],
  malformed: [400, 'Bad Request'],
  unresolved: [502, 'Name not found'],
  unreachable: [502, 'Host not reached'],
};

const maxHeaderBytes = 16_384;
const idleTimeoutMs = 600_000;

/** `CONNECT`, and plain requests with the whole address in their first line (RFC 9112, 3.2.2). */
export class HttpProxy {
  readonly #clients = new WeakMap<Socket, Client>();
  /** Never listens: it is given connections. */
  readonly #server: Server;

  constructor() {
    this.#server = createServer({ maxHeaderSize: maxHeaderBytes, keepAliveTimeout: 0 });
    this.#server.timeout = idleTimeoutMs;
    this.#server.on('connect', (request, socket, head) => {
      void this.#tunnel(request, socket as Socket, head);
    });
    this.#server.on('request', (request, response) => {
      void this.#forward(request, response);
    });
  }

  serve(socket: Socket, gate: EgressGate, started: () => void): void {
    this.#clients.set(socket, { gate, started });
    this.#server.emit('connection', socket);
    socket.resume();
  }

  async #tunnel(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    socket.on('error', () => {});
    const closed = closing(socket);
    const gate = this.#begin(socket);
    if (gate === null) {
      socket.destroy();
      return;
    }
    try {
      const { host, port } = parseAuthority(request.url ?? '');
      const upstream = await gate.connect(host, port, closed);
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      if (head.length > 0) socket.unshift(head);
      joinSockets(socket, upstream);
    } catch (cause) {
      const { status, reason, body } = explain(cause);
      socket.end(
        `HTTP/1.1 ${status} ${reason}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
          `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
        () => socket.destroy(),
      );
    }
  }

  async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {});
    const gate = this.#begin(request.socket);
    // Not answered: the answer to the first closes the connection.
    if (gate === null) return;
    try {
      const url = parseTarget(request.url ?? '');
      const port = url.port === '' ? 80 : Number(url.port);
      const upstream = await gate.connect(url.hostname, port, closing(request.socket));
      upstream.setTimeout(idleTimeoutMs, () => upstream.destroy());
      await exchange(request, response, url, upstream);
    } catch (cause) {
      if (response.headersSent) {
        request.socket.resetAndDestroy();
        return;
      }
      const { status, reason, body } = explain(cause);
      response.writeHead(status, reason, {
        'content-type': 'text/plain; charset=utf-8',
        connection: 'close',
      });
      response.end(body);
    }
  }

  /** Null: the connection has had its one request. Whatever follows that could be a smuggled one. */
  #begin(socket: Socket): EgressGate | null {
    const client = this.#clients.get(socket);
    this.#clients.delete(socket);
    client?.started();
    return client?.gate ?? null;
  }
}

function closing(socket: Socket): AbortSignal {
  const controller = new AbortController();
  socket.once('close', () => controller.abort());
  return controller.signal;
}

function parseAuthority(text: string): { readonly host: string; readonly port: number } {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[^\s:/@[\]]+):(\d{1,5})$/.exec(text);
  const [, host, port] = match ?? [];
  if (host !== undefined && port !== undefined) return { host, port: Number(port) };
  throw new EgressRefused('malformed', 'CONNECT takes a host and a port, as in example.com:443.');
}

function parseTarget(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && url.protocol === 'http:' && url.hostname !== '') return url;
  throw new EgressRefused(
    'malformed',
    'This is the proxy by which programs of this sandbox reach the network. It takes CONNECT, and requests with a whole http:// address.',
  );
}

function exchange(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  upstream: Socket,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (): void => {
      upstream.destroy();
      reject(new EgressRefused('unreachable', `${url.hostname} gave no valid answer.`));
    };
    const outgoing = httpRequest({
      createConnection: () => upstream,
      method: request.method ?? 'GET',
      path: `${url.pathname}${url.search}`,
      headers: forwardedRequestHeaders(request, url.host),
      maxHeaderSize: maxHeaderBytes,
    });
    // More than one: an upload goes on for a moment after its connection broke off.
    outgoing.on('error', fail);
    outgoing.once('response', (answer) => {
      try {
        response.sendDate = false;
        response.writeHead(
          answer.statusCode ?? 502,
          answer.statusMessage,
          forwardedResponseHeaders(answer),
        );
      } catch {
        fail();
        return;
      }
      // An end would say that a body without a length was complete.
      answer.on('error', () => request.socket.resetAndDestroy());
      answer.pipe(response);
    });
    // An upload that breaks off is told upstream by a broken connection.
    request.on('error', fail);
    response.once('close', () => {
      upstream.destroy();
      resolve();
    });
    request.pipe(outgoing);
  });
}

function explain(cause: unknown): { status: number; reason: string; body: string } {
  const refused =
    cause instanceof EgressRefused
      ? cause
      : new EgressRefused('unreachable', 'The request could not be passed on.');
  const [status, reason] = statusOf[refused.kind];
  return { status, reason, body: `${refused.message}\n` };
}
