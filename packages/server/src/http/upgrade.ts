import { type IncomingMessage, type RequestListener, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** A connection that is HTTP no more, and whoever took it over speaks on it alone. */
export interface TakenConnection {
  readonly socket: Duplex;
  /** What the client has sent behind its request. */
  readonly head: Buffer;
  /** Aborted when it may go on no longer, as when the server stops: say goodbye, and end. */
  readonly ending: AbortSignal;
}

/** A request for WebSocket. It is answered like any other, unless the connection is taken over. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly isTaken: boolean;
  /** Whatever is answered from here on goes nowhere. */
  take(): TakenConnection;
  /** Tells whoever has taken it over that it may go on no longer. */
  end(): void;
}

const upgrades = new WeakMap<IncomingMessage, Upgrade>();

/** Null for an ordinary request. */
export const upgradeOf = (request: IncomingMessage | undefined): Upgrade | null =>
  (request === undefined ? undefined : upgrades.get(request)) ?? null;

/** Whether a request asks for WebSocket; what asks for another protocol, as h2c, is an ordinary one. */
export const asksForWebSocket = ({ method, headers }: IncomingMessage): boolean =>
  method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';

/**
 * Hands requests for WebSocket to the same listener as all others, so that one list of checks and one
 * wording of refusals serves both. A connection that nobody takes over is closed behind its answer.
 */
export function acceptUpgrades(
  server: Server,
  answer: RequestListener,
): {
  /** Tells whoever took a connection over that the server stops. */
  stop(): void;
  /** Cuts those that are left. */
  destroyAll(): void;
} {
  const stopping = new AbortController();
  const sockets = new Set<Duplex>();
  server.on('upgrade', (request, socket, head) => {
    // What breaks a connection is told by its close.
    socket.on('error', () => {});
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Socket);
    const drained = (): void => void response.emit('drain');
    socket.on('drain', drained);
    response.once('finish', () => socket.end(() => socket.destroy()));
    let isTaken = false;
    const own = new AbortController();
    upgrades.set(request, {
      request,
      get isTaken() {
        return isTaken;
      },
      take() {
        isTaken = true;
        socket.off('drain', drained);
        response.detachSocket(socket as Socket);
        return { socket, head, ending: AbortSignal.any([stopping.signal, own.signal]) };
      },
      end: () => own.abort(),
    });
    answer(request, response);
  });
  return {
    stop: () => stopping.abort(),
    destroyAll() {
      for (const socket of sockets) socket.destroy();
    },
  };
}
