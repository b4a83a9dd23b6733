import type { OutputChunk } from '@sandgate/core';

const headerBytes = 8;

/**
 * Takes apart the stream in which the daemon sends both outputs of a program: frames of eight bytes,
 * the first of which names the output and the last four the length, and then as many bytes of it
 * (Docker Engine API, "Attach to a container", stream format). Frames may be cut anywhere.
 */
export class FrameReader {
  #header = Buffer.alloc(0);
  #stream: OutputChunk['stream'] = 'stdout';
  #left = 0;

  /** The pieces of output in some bytes. */
  read(data: Buffer): OutputChunk[] {
    const chunks: OutputChunk[] = [];
    let rest = data;
    while (rest.length > 0) {
      if (this.#left === 0) {
        rest = this.#readHeader(rest);
        continue;
      }
      const piece = rest.subarray(0, this.#left);
      rest = rest.subarray(piece.length);
      this.#left -= piece.length;
      chunks.push({ stream: this.#stream, data: piece });
    }
    return chunks;
  }

  #readHeader(data: Buffer): Buffer {
    const missing = headerBytes - this.#header.length;
    const header = Buffer.concat([this.#header, data.subarray(0, missing)]);
    if (header.length < headerBytes) {
      this.#header = header;
      return Buffer.alloc(0);
    }
    this.#header = Buffer.alloc(0);
    this.#stream = header[0] === 2 ? 'stderr' : 'stdout';
    this.#left = header.readUInt32BE(4);
    return data.subarray(missing);
  }
}
