import type { Socket } from 'node:net';
import type { EgressGate } from './egress-gate.ts';
import { EgressRefused } from './egress-refused.ts';
import { joinSockets } from './join-sockets.ts';
import { parseGreeting, parseRequest } from './socks-message.ts';

export const socksVersion = 5;

/** Answers (RFC 1928, 6). */
const reply = { done: 0, failed: 1, refused: 2, noHost: 4, noCommand: 7 } as const;
const replyOf: Readonly<Record<EgressRefused['kind'], number>> = {
  policy: reply.refused,
  malformed: reply.failed,
  unresolved: reply.noHost,
  unreachable: reply.noHost,
};

/** More of it means that it is something else. */
const maxMessageBytes = 1_024;

/** SOCKS 5 with CONNECT alone and without passwords (RFC 1928). */
export async function serveSocks(
  socket: Socket,
  gate: EgressGate,
  started: () => void,
): Promise<void> {
  const closed = new AbortController();
  socket.once('close', () => closed.abort());
  try {
    const greeting = await readMessage(socket, parseGreeting);
    if (!greeting.withoutPassword) {
      socket.end(Buffer.from([socksVersion, 0xff]), () => socket.destroy());
      return;
    }
    socket.write(Buffer.from([socksVersion, 0]));
    const request = await readMessage(socket, parseRequest);
    started();
    if (!request.isConnect) {
      answer(socket, reply.noCommand);
      return;
    }
    const upstream = await gate.connect(request.host, request.port, closed.signal);
    socket.write(replyMessage(reply.done));
    joinSockets(socket, upstream);
  } catch (cause) {
    answer(socket, cause instanceof EgressRefused ? replyOf[cause.kind] : reply.failed);
  }
}

function answer(socket: Socket, code: number): void {
  socket.end(replyMessage(code), () => socket.destroy());
}

/** The address that the connection comes from is nobody's business inside: 0.0.0.0:0. */
const replyMessage = (code: number): Buffer =>
  Buffer.from([socksVersion, code, 0, 1, 0, 0, 0, 0, 0, 0]);

interface Parsed {
  /** Bytes that the message takes. */
  readonly length: number;
}

/** Reads one message, and leaves what follows it. `parse` gives null until it is complete. */
function readMessage<Message extends Parsed>(
  socket: Socket,
  parse: (data: Buffer) => Message | null,
): Promise<Message> {
  return new Promise((resolve, reject) => {
    let data = Buffer.alloc(0);
    const finish = (settle: () => void): void => {
      socket.pause();
      socket.off('data', take);
      socket.off('end', fail);
      socket.off('close', fail);
      settle();
    };
    const fail = (): void => finish(() => reject(new Error('not SOCKS')));
    const take = (chunk: Buffer): void => {
      data = Buffer.concat([data, chunk]);
      try {
        const message = parse(data);
        if (message === null && data.length > maxMessageBytes) fail();
        if (message === null) return;
        finish(() => resolve(message));
        if (data.length > message.length) socket.unshift(data.subarray(message.length));
      } catch {
        fail();
      }
    };
    socket.on('data', take);
    socket.once('end', fail);
    socket.once('close', fail);
    socket.resume();
  });
}
