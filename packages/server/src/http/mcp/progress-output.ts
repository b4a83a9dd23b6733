import { StringDecoder } from 'node:string_decoder';
import type { OutputChunk } from '@sandgate/core';

/** What is written further is in the result alone: a slow client must not fill the memory. */
const maxStreamedBytes = 262_144;

export interface Progress {
  /** Bytes so far. */
  readonly progress: number;
  /** What was written since the last. */
  readonly message: string;
}

/** Tells a client of output as it is written. */
export function progressOutput(report: (progress: Progress) => void): (chunk: OutputChunk) => void {
  const decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };
  let bytes = 0;
  return ({ stream, data }) => {
    if (bytes >= maxStreamedBytes) return;
    const piece = data.subarray(0, maxStreamedBytes - bytes);
    bytes += piece.byteLength;
    const message = decoders[stream].write(piece);
    if (message !== '') report({ progress: bytes, message });
  };
}
