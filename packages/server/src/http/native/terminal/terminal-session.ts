import type { ExecOutcome, Terminal } from '@sandgate/core';
import { SandgateError } from '@sandgate/core';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Upgrade } from '../../upgrade.ts';
import { readControlMessage, type ServerMessage, terminalProtocol } from './terminal-protocol.ts';

/** What is typed or pasted at once. */
const maxMessageBytes = 256 * 1_024;
/** Typed, and not taken by the terminal yet. */
const maxWaitingBytes = 1_048_576;
/** What a message costs beside its bytes. */
const messageBytes = 256;
/** A connection that has not answered a ping when the next is due is gone. */
const pingEveryMs = 30_000;

/** RFC 6455, 7.4.1. */
const closeCodes = { normal: 1_000, goingAway: 1_001, violation: 1_008, failed: 1_011 } as const;

const sockets = new WebSocketServer({
  noServer: true,
  clientTracking: false,
  maxPayload: maxMessageBytes,
  perMessageDeflate: false,
  // What else is offered may hold a ticket, and is never said back.
  handleProtocols: (offered) => (offered.has(terminalProtocol) ? terminalProtocol : false),
});

/**
 * A terminal and the connection of whoever sits at it. A program that shows much is held back until it is
 * seen, and who types more than the program takes is cut off: neither fills the memory of the server.
 */
export class TerminalSession {
  readonly #opened = Promise.withResolvers<WebSocket | null>();

  /** For `TerminalRequest`. Until there is a connection, the program is held back. */
  readonly show = async (data: Buffer): Promise<void> => {
    const socket = await this.#opened.promise;
    if (socket === null || socket.readyState !== socket.OPEN) return;
    await new Promise<void>((resolve) => socket.send(data, () => resolve()));
  };

  /** Nobody is going to look at what the program shows. */
  abandon(): void {
    this.#opened.resolve(null);
  }

  /** Takes the connection over, and resolves when both it and the program have ended. */
  async run(upgrade: Upgrade, terminal: Terminal): Promise<void> {
    const { socket: connection, head, ending } = upgrade.take();
    const closed = new Promise<void>((resolve) => connection.once('close', () => resolve()));
    // A request that is no handshake of WebSocket is refused and closed by the library.
    sockets.handleUpgrade(upgrade.request, connection, head, (socket) => {
      this.#opened.resolve(socket);
      attend(socket, terminal, ending);
    });
    await closed;
    this.abandon();
    terminal.signal('SIGHUP');
    await terminal.exited;
  }
}

function attend(socket: WebSocket, terminal: Terminal, ending: AbortSignal): void {
  let answered = true;
  const ping = setInterval(() => {
    if (!answered) socket.terminate();
    answered = false;
    socket.ping();
  }, pingEveryMs);
  const leave = (): void => {
    terminal.signal('SIGHUP');
    socket.close(closeCodes.goingAway);
  };
  ending.addEventListener('abort', leave);
  socket.on('pong', () => {
    answered = true;
  });
  socket.on('close', () => {
    clearInterval(ping);
    ending.removeEventListener('abort', leave);
  });
  // What breaks it is told by its close.
  socket.on('error', () => {});
  const typed = new TypedBytes(terminal);
  socket.on('message', (data: Buffer, isBinary) => {
    const taken = isBinary ? typed.type(data) : obey(terminal, data.toString());
    taken.catch((error: unknown) => refuse(socket, error));
  });
  void terminal.exited.then((outcome) => {
    say(socket, exitOf(outcome));
    socket.close(closeCodes.normal);
  });
}

/** What is typed, in its order. It is read on meanwhile, since a resize or a signal may follow. */
class TypedBytes {
  readonly #terminal: Terminal;
  #waitingBytes = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** @throws SandgateError `capacity_exceeded` */
  async type(data: Buffer): Promise<void> {
    const bytes = data.byteLength + messageBytes;
    this.#waitingBytes += bytes;
    if (this.#waitingBytes > maxWaitingBytes) {
      throw new SandgateError(
        'capacity_exceeded',
        `More than ${maxWaitingBytes} typed bytes wait for the program in the terminal`,
      );
    }
    await this.#terminal.write(data);
    this.#waitingBytes -= bytes;
  }
}

/** @throws SandgateError `invalid_request` */
async function obey(terminal: Terminal, text: string): Promise<void> {
  const message = readControlMessage(text);
  if (typeof message === 'string') throw new SandgateError('invalid_request', message);
  if (message.type === 'signal') terminal.signal(message.signal);
  else await terminal.resize(message.columns, message.rows);
}

function refuse(socket: WebSocket, error: unknown): void {
  const isTheirs = error instanceof SandgateError && error.code !== 'internal';
  const { code, message } = isTheirs
    ? error
    : { code: 'internal', message: 'Internal server error' };
  say(socket, { type: 'error', code, detail: message });
  socket.close(code === 'invalid_request' ? closeCodes.violation : closeCodes.failed);
}

function say(socket: WebSocket, message: ServerMessage): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
}

const exitOf = (outcome: ExecOutcome): ServerMessage => ({
  type: 'exit',
  status: outcome.kind,
  exit_code: outcome.kind === 'exited' ? outcome.exitCode : null,
});
