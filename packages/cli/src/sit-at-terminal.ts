import type { ReadStream, WriteStream } from 'node:tty';
import type { WebSocket } from 'ws';
import { failure } from './exit.ts';
import { printable } from './printable.ts';
import { property } from './rpc-client.ts';

/** Ctrl-]. */
const leaveByte = 0x1d;

/** Whether what is typed asks to leave: the byte twice, with nothing between. */
export function leaveWatch(): (typed: Uint8Array) => boolean {
  let before = 0;
  return (typed) => {
    for (const byte of typed) {
      if (byte === leaveByte && before === leaveByte) return true;
      before = byte;
    }
    return false;
  };
}

/**
 * Joins the user's terminal to one in a sandbox, until what runs there has ended.
 * @returns its exit code
 * @throws Exit when the connection ended before, or the user left
 */
export async function sitAtTerminal(
  socket: WebSocket,
  input: ReadStream,
  output: WriteStream,
): Promise<number> {
  const ended = Promise.withResolvers<number>();
  const asksToLeave = leaveWatch();
  const type = (data: Buffer): void => {
    if (asksToLeave(data))
      ended.reject(failure('You left the terminal. What ran in it was ended.'));
    else socket.send(data);
  };
  const resize = (): void => {
    const { columns, rows } = output;
    socket.send(JSON.stringify({ type: 'resize', columns, rows }));
  };
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) {
      output.write(data);
      return;
    }
    const said: unknown = JSON.parse(data.toString());
    if (property(said, 'type') === 'error') {
      ended.reject(failure(printable(String(property(said, 'detail')))));
    } else ended.resolve(exitCodeOf(said));
  });
  socket.once('close', () => {
    ended.reject(failure('The connection ended, and with it what ran in the terminal.'));
  });
  input.setRawMode(true);
  input.on('data', type);
  output.on('resize', resize);
  socket.resume();
  try {
    return await ended.promise;
  } finally {
    output.off('resize', resize);
    input.off('data', type).pause().setRawMode(false);
    socket.close();
  }
}

function exitCodeOf(ending: unknown): number {
  const exitCode = property(ending, 'exit_code');
  if (typeof exitCode === 'number') return exitCode;
  throw failure(`The terminal ended: ${printable(String(property(ending, 'status')))}.`);
}
