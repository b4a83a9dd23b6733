import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { type Upgrade, upgradeOf } from '../upgrade.ts';

/** A request that is to be passed on. */
export interface ClientRequest {
  readonly method: string;
  /** With the host that the client asked for. */
  readonly url: URL;
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: readonly string[];
  readonly body: Readable | null;
  readonly upgrade: Upgrade | null;
  /** The client's IP address; empty where it came by no socket. */
  readonly address: string;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
  /** Breaks the connection, where there is one: an answer that began is seen to be incomplete. */
  readonly cut: (() => void) | null;
}

/** `incoming`: Node's own request. Undefined where a request came by no socket, as in a test. */
export function clientRequest(
  request: Request,
  incoming: IncomingMessage | undefined,
  address: string,
): ClientRequest {
  return {
    method: request.method,
    url: new URL(request.url),
    rawHeaders: incoming?.rawHeaders ?? [...request.headers].flat(),
    body: incoming === undefined ? webBody(request) : nodeBody(incoming),
    upgrade: upgradeOf(incoming),
    address,
    signal: request.signal,
    cut: incoming === undefined ? null : () => void incoming.socket.destroy(),
  };
}

/** Any method may come with a body (RFC 9110, 9.3.1); web-standard requests have none for GET. */
function nodeBody(incoming: IncomingMessage): IncomingMessage | null {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = incoming.headers;
  return encoding === undefined && Number(length) === 0 ? null : incoming;
}

const webBody = ({ body }: Request): Readable | null =>
  body === null ? null : Readable.fromWeb(body as ReadableStream);
