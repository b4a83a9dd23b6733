import type { Socket } from 'node:net';

const idleTimeoutMs = 600_000;

/**
 * Lets two sockets talk until both directions have ended. Each end of a direction is passed on, and
 * each side is read no faster than the other takes it. Where one breaks off, so does the other, and not
 * with an end that could be taken for the end of the data.
 */
export function joinSockets(one: Socket, other: Socket): void {
  link(one, other);
  link(other, one);
  one.pipe(other);
  other.pipe(one);
}

function link(socket: Socket, peer: Socket): void {
  socket.setTimeout(idleTimeoutMs, () => socket.destroy());
  // What it has to say is in its close.
  socket.on('error', () => {});
  socket.once('close', () => {
    // After a proper end in both directions, the peer still delivers what it was given.
    if (!(socket.readableEnded && socket.writableFinished)) peer.resetAndDestroy();
  });
}
