import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { isIPv6 } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { SandgateError } from '@sandgate/core';
import { connectionLimit } from './connection-limit.ts';
import type { App } from './request-context.ts';
import { acceptUpgrades, asksForWebSocket } from './upgrade.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** PEM texts; null serves plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** Asked before the app, which answers what this leaves to it. */
  readonly direct?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Connections at once; one more is closed at once. Default: `connectionLimit()`. */
  readonly maxConnections?: number;
}

export interface Listener {
  /** Base address, as in `http://127.0.0.1:5555`. */
  readonly address: string;
  /** Takes no more calls, and lets those in progress end for up to `drainMs`. */
  close(drainMs: number): Promise<void>;
}

/** A header that arrives byte by byte must not hold a connection for ever. */
const headersTimeoutMs = 15_000;
const idleCheckMs = 50;

/** @throws SandgateError `config_invalid` when the address cannot be had, or the certificate is bad */
export async function listen(app: App, options: ListenOptions): Promise<Listener> {
  let draining = false;
  const answer = getRequestListener(app.fetch);
  const { direct = () => false } = options;
  const listener: RequestListener = (request, response) => {
    if (draining) refuseWhileStopping(response);
    else if (!direct(request, response)) answer(request, response);
  };
  const server = createServer(listener, options.tls);
  const upgraded = acceptUpgrades(server, listener);
  server.headersTimeout = headersTimeoutMs;
  server.maxConnections = options.maxConnections ?? connectionLimit();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(explain(cause, options)));
    server.listen(options.port, options.host, resolve);
  });
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : options.port;
  const host = isIPv6(options.host) ? `[${options.host}]` : options.host;
  return {
    address: `${options.tls === null ? 'http' : 'https'}://${host}:${port}`,
    close(drainMs) {
      draining = true;
      // None of them ends by itself.
      upgraded.stop();
      return drain(server, drainMs, upgraded.destroyAll);
    },
  };
}

const serverOptions = { optimizeEmptyRequests: true, shouldUpgradeCallback: asksForWebSocket };

function createServer(listener: RequestListener, tls: ListenOptions['tls']): Server {
  if (tls === null) return createHttpServer(serverOptions, listener);
  try {
    return createHttpsServer({ ...tls, ...serverOptions }, listener);
  } catch (cause) {
    throw new SandgateError(
      'config_invalid',
      'The TLS certificate or its key cannot be used. Both are PEM files that belong together',
      { cause },
    );
  }
}

function explain(cause: NodeJS.ErrnoException, { host, port }: ListenOptions): SandgateError {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'something else listens there. Choose another port with --port',
    EADDRNOTAVAIL: 'this machine does not have that address',
    EACCES: 'ports below 1024 need more rights. Choose another one with --port',
  };
  const reason = reasons[cause.code ?? ''] ?? cause.message;
  return new SandgateError('config_invalid', `Cannot listen on ${host}:${port}: ${reason}`, {
    cause,
  });
}

async function drain(server: Server, drainMs: number, destroyUpgraded: () => void): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  // A connection whose last call ends now is idle, and would be kept for a next one that is not taken.
  const closeWhenIdle = setInterval(() => server.closeIdleConnections(), idleCheckMs);
  const deadline = setTimeout(() => {
    server.closeAllConnections();
    destroyUpgraded();
  }, drainMs);
  await closed;
  clearTimeout(deadline);
  clearInterval(closeWhenIdle);
}

/** A connection that was kept open can bring one more call after the server began to stop. */
function refuseWhileStopping(response: ServerResponse): void {
  response
    .writeHead(503, { connection: 'close', 'content-type': 'application/json', 'retry-after': '1' })
    .end(JSON.stringify({ error: 'The server is stopping', code: 5004 }));
}
