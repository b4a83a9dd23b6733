import { request as httpRequest, type IncomingMessage, STATUS_CODES } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SandgateError } from '@sandgate/core';
import { StreamedBody } from '../streamed-body.ts';
import type { Upgrade } from '../upgrade.ts';
import type { ClientRequest } from './client-request.ts';
import { headersForClient, headersForProgram, tellableHeaders } from './passed-headers.ts';
import type { PortTarget } from './port-target.ts';

const maxHeaderBytes = 16_384;
/** Nothing in either direction for so long ends an exchange, also before the answer begins. */
const idleTimeoutMs = 600_000;
const bodilessStatuses: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * Passes a request on to a program that listens on a port of a sandbox, and its answer back: any method,
 * bodies in both directions as they come and no faster than they are taken, and WebSocket as it is on
 * the wire. A client that goes away ends the exchange on the other side too.
 *
 * The caller has authorized the request, and dials with what that allows:
 *
 *     const client = clientRequest(context.req.raw, incomingOf(context), address);
 *     const dial = () => access.sandboxes.dial(workspace, sandbox.id, port);
 *     await passToPort({ port, dial, path: '/page?x=1', prefix: '' }, client, respond);
 *
 * `respond` is called once with the answer as soon as it begins, and never when the connection became a
 * WebSocket. Resolves when the exchange is over, with its status. What it throws before `respond` is a
 * refusal to be answered; a later failure has cut the connection.
 * @throws SandgateError `port_failed`, `request_abandoned`, and what `dial` throws
 */
export async function passToPort(
  target: PortTarget,
  client: ClientRequest,
  respond: (response: Response) => void,
): Promise<number> {
  const connection = await target.dial();
  if (connection instanceof Socket) {
    connection.setTimeout(idleTimeoutMs, () => connection.destroy());
  }
  try {
    const answered = await ask(target, client, connection);
    const { answer } = answered;
    const status = answer.statusCode ?? 0;
    if (answered.kind === 'upgraded') {
      await join(answered, connection, headOfSwitch(answer, target));
      return status;
    }
    await passBody(answer, status, target, client, respond);
    return status;
  } finally {
    connection.destroy();
  }
}

type Answered =
  | { readonly kind: 'answered'; readonly answer: IncomingMessage }
  | {
      readonly kind: 'upgraded';
      readonly answer: IncomingMessage;
      readonly upgrade: Upgrade;
      readonly head: Buffer;
    };

/** Sends the request, and resolves with the head of the answer; the body may still be on its way. */
function ask(target: PortTarget, client: ClientRequest, connection: Duplex): Promise<Answered> {
  const { method, body, signal, upgrade } = client;
  return new Promise((resolve, reject) => {
    const fail = (): void => {
      connection.destroy();
      reject(signal.aborted ? abandoned() : failed(target, 'hung up, or its answer is no HTTP'));
    };
    const outgoing = httpRequest({
      createConnection: () => connection,
      method,
      path: target.path,
      headers: headersForProgram(client, target),
      maxHeaderSize: maxHeaderBytes,
    });
    // More than one: an upload goes on for a moment after its connection broke off.
    outgoing.on('error', fail);
    outgoing.once('response', (answer) => resolve({ kind: 'answered', answer }));
    outgoing.once('upgrade', (answer, _, head) => {
      // A program that switches without being asked to is not understood by the client.
      if (upgrade === null || answer.statusCode !== 101) fail();
      else resolve({ kind: 'upgraded', answer, upgrade, head });
    });
    if (signal.aborted) fail();
    signal.addEventListener('abort', () => outgoing.destroy(), { once: true });
    if (body === null) {
      outgoing.end();
      return;
    }
    body.once('error', () => outgoing.destroy());
    body.pipe(outgoing);
  });
}

async function passBody(
  answer: IncomingMessage,
  status: number,
  target: PortTarget,
  { method, signal, cut }: ClientRequest,
  respond: (response: Response) => void,
): Promise<void> {
  if (status < 200 || status > 599) throw failed(target, `answered with the status ${status}`);
  const headers = headersForClient(answer, target);
  if (method === 'HEAD' || bodilessStatuses.has(status)) {
    respond(new Response(null, { status, headers }));
    return;
  }
  const body = new StreamedBody();
  const stop = (): void => void answer.destroy();
  for (const gone of [body.gone, signal]) gone.addEventListener('abort', stop);
  respond(new Response(body.stream, { status, headers }));
  try {
    for await (const piece of answer) await body.write(piece);
    body.end();
  } catch {
    // An end would say that a body without a length was complete.
    if (cut === null) body.fail(failed(target, 'broke its answer off'));
    else cut();
  }
}

/** Lets the two talk until either has gone or they may go on no longer. */
async function join(
  { upgrade, head }: Extract<Answered, { kind: 'upgraded' }>,
  connection: Duplex,
  headOfAnswer: string,
): Promise<void> {
  const taken = upgrade.take();
  const { socket, ending: signal } = taken;
  if (socket instanceof Socket) socket.setNoDelay(true).setKeepAlive(true);
  socket.write(headOfAnswer);
  if (head.byteLength > 0) socket.write(head);
  if (taken.head.byteLength > 0) connection.write(taken.head);
  // Both are over when one breaks off; that says everything there is to say.
  await Promise.allSettled([
    pipeline(socket, connection, { signal }),
    pipeline(connection, socket, { signal }),
  ]);
  socket.destroy();
}

function headOfSwitch(answer: IncomingMessage, target: PortTarget): string {
  const lines = tellableHeaders(answer, target).map(([name, value]) => `${name}: ${value}\r\n`);
  const first = `HTTP/1.1 101 ${STATUS_CODES[101]}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`;
  return `${first}${lines.join('')}\r\n`;
}

const failed = ({ port }: PortTarget, what: string): SandgateError =>
  new SandgateError('port_failed', `The program on port ${port} of the sandbox ${what}`);

const abandoned = (): SandgateError =>
  new SandgateError('request_abandoned', 'The client went away');
