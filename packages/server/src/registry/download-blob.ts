import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { SandgateError } from '@sandgate/core';
import type { RegistryClient } from './registry-client.ts';
import { digestMismatch, toRegistryFailure, unreachable } from './registry-failure.ts';

export interface BlobDownload {
  readonly digest: string;
  readonly sizeBytes: number;
  /** A file that is not there yet. What it holds after a failure is nothing to use. */
  readonly path: string;
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number) => void;
}

/** Connections that ended in the middle, one after another, without a byte between them. */
const maxFruitless = 3;
const maxConnections = 100;

/**
 * Brings a blob into a file and compares it with its digest. A connection that ends too early is followed by
 * another one that goes on where it ended; a registry that knows no ranges is read past what is there.
 * @throws SandgateError `digest_mismatch`, and those of `RegistryClient.blob`
 */
export async function downloadBlob(client: RegistryClient, blob: BlobDownload): Promise<void> {
  const { digest, sizeBytes, path, signal } = blob;
  const file = await open(path, 'wx', 0o600);
  const hash = createHash('sha256');
  try {
    let done = 0;
    let fruitless = 0;
    for (let connections = 1; done < sizeBytes || connections === 1; connections += 1) {
      const before = done;
      try {
        const answer = await client.blob(digest, done, signal);
        for await (const piece of fromByte(answer, done)) {
          if (done + piece.length > sizeBytes) {
            answer.destroy();
            throw digestMismatch('layer', digest);
          }
          await writeAll(file, piece);
          hash.update(piece);
          done += piece.length;
          blob.onBytes(piece.length);
        }
        if (done < sizeBytes) throw unreachable('it ended in the middle of a layer');
      } catch (cause) {
        const error = toRegistryFailure(cause, signal);
        fruitless = done === before ? fruitless + 1 : 0;
        const again = error instanceof SandgateError && error.code === 'registry_unreachable';
        if (!again || done === 0 || fruitless === maxFruitless || connections === maxConnections) {
          throw error;
        }
      }
    }
  } finally {
    await file.close();
  }
  if (`sha256:${hash.digest('hex')}` !== digest) throw digestMismatch('layer', digest);
}

/** The body from a byte on, whether or not the registry began there. */
async function* fromByte(answer: IncomingMessage, start: number): AsyncGenerator<Buffer> {
  let skip = start;
  if (answer.statusCode === 206) {
    const [, first] = /^bytes (\d+)-/.exec(answer.headers['content-range'] ?? '') ?? [];
    if (Number(first) !== start) {
      answer.destroy();
      throw unreachable('it gives other parts than it is asked for');
    }
    skip = 0;
  }
  for await (const piece of answer as AsyncIterable<Buffer>) {
    const rest = piece.subarray(Math.min(skip, piece.length));
    skip -= piece.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}

async function writeAll(file: FileHandle, piece: Buffer): Promise<void> {
  for (let at = 0; at < piece.length; ) {
    at += (await file.write(piece, at)).bytesWritten;
  }
}
