const pieceBytes = 65_536;

/** A JSON body that says when it has left, or is not going to be read any further. */
export function releasingBody(value: unknown, release: () => void): ReadableStream<Uint8Array> {
  let rest = Buffer.from(JSON.stringify(value));
  return new ReadableStream({
    type: 'bytes',
    pull(controller) {
      // A copy: what is sent is given away with the memory that it lies in.
      controller.enqueue(Uint8Array.from(rest.subarray(0, pieceBytes)));
      rest = rest.subarray(pieceBytes);
      if (rest.byteLength > 0) return;
      controller.close();
      release();
    },
    cancel() {
      rest = Buffer.alloc(0);
      release();
    },
  });
}
