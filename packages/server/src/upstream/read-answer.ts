import type { IncomingMessage } from 'node:http';
import { toFailure } from './upstream-failure.ts';

/** What of an answer may wait for its reader, beside the buffers of the connection. */
const maxWaitingBytes = 16_384;

/** The body of an answer, read from the connection no faster than it is read from here. */
export function readAnswer(answer: IncomingMessage): ReadableStream<Uint8Array> {
  let over = false;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const fail = (error: unknown): void => {
          if (over) return;
          over = true;
          answer.destroy();
          controller.error(toFailure(error));
        };
        answer.on('data', (piece: Buffer) => {
          if (over) return;
          controller.enqueue(piece);
          if ((controller.desiredSize ?? 0) <= 0) answer.pause();
        });
        answer.once('end', () => {
          if (over) return;
          over = true;
          controller.close();
        });
        answer.once('error', fail);
        // A connection that ends in the middle ends the body without an end of its own.
        answer.once('close', () => fail(new Error('The connection was closed.')));
        answer.pause();
      },
      pull() {
        answer.resume();
      },
      cancel() {
        over = true;
        answer.destroy();
      },
    },
    { highWaterMark: maxWaitingBytes, size: (piece) => piece.byteLength },
  );
}
