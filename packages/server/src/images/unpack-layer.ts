import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import { SandgateError } from '@sandgate/core';
import { type Extract, extract, type Header } from 'tar-stream';
import { digestMismatch, invalidImage, noRoom, tooLarge } from '../registry/registry-failure.ts';
import type { ResolvedLayer } from '../registry/resolve-image.ts';
import { entryPath, type LayerEntry, readWhiteout } from './layer-entry.ts';

export interface LayerSource {
  readonly compression: ResolvedLayer['compression'];
  /** Digest of the archive when it is unpacked. Null: it is not known. */
  readonly diffId: string | null;
}

export interface LayerLimits {
  /** Of the unpacked archive. */
  readonly maxBytes: number;
  /** What the disk may give for it. */
  readonly roomBytes: number;
  readonly signal: AbortSignal;
}

export interface UnpackedLayer {
  readonly sizeBytes: number;
  readonly diffId: string;
}

const maxLayerEntries = 500_000;
const entriesAtOnce = 1_000;
/** Of layer directories: one line of JSON for each entry, and a directory of what files hold. */
export const layerIndex = 'entries.ndjson';
export const layerFiles = 'files';

/**
 * Unpacks the archive of a layer into a directory. No name in the archive becomes a name on the host: what a
 * file holds goes into a file that is named by its number, and everything else into an index. Owners, special
 * bits, devices and extended attributes are left out: all is the server's, and readable by everybody.
 * @throws SandgateError `image_invalid`, `image_too_large`, `digest_mismatch`, `disk_full`
 */
export async function unpackLayer(
  archive: string,
  directory: string,
  { compression, diffId }: LayerSource,
  { maxBytes, roomBytes, signal }: LayerLimits,
): Promise<UnpackedLayer> {
  await mkdir(join(directory, layerFiles), { recursive: true, mode: 0o700 });
  const index = await open(join(directory, layerIndex), 'wx', 0o600);
  const counter = new CountedHash(maxBytes, roomBytes);
  const entries = extract();
  try {
    const feeding = pipeline(
      [
        createReadStream(archive, { highWaterMark: 262_144 }),
        ...decompressor(compression),
        counter,
        entries,
      ],
      { signal },
    );
    // Awaited at the end: what breaks first is told by it.
    feeding.catch(() => undefined);
    try {
      await readEntries(entries, directory, index);
    } catch (error) {
      entries.destroy();
      // Where the source broke, that is the reason for which the archive did.
      await feeding.catch((cause: unknown) => {
        if (cause instanceof SandgateError) throw cause;
      });
      throw error;
    }
    await feeding;
  } catch (error) {
    throw explain(error, signal);
  } finally {
    await index.close();
  }
  const found = counter.digest();
  if (diffId !== null && found !== diffId) throw digestMismatch('layer, unpacked,', diffId);
  return { sizeBytes: counter.bytes, diffId: found };
}

async function readEntries(entries: Extract, directory: string, index: FileHandle): Promise<void> {
  let lines: string[] = [];
  let count = 0;
  const flush = async (): Promise<void> => {
    if (lines.length > 0) await index.appendFile(lines.join(''));
    lines = [];
  };
  for await (const stream of entries) {
    count += 1;
    if (count > maxLayerEntries) {
      throw new SandgateError(
        'image_too_large',
        `A layer has more than ${maxLayerEntries} entries`,
      );
    }
    const entry = toEntry(stream.header, count);
    if (entry?.kind === 'file') {
      await writeFileOf(
        stream.header,
        stream as AsyncIterable<Buffer>,
        join(directory, layerFiles, String(count)),
      );
    } else {
      stream.resume();
    }
    if (entry !== null) lines.push(`${JSON.stringify(entry)}\n`);
    if (lines.length >= entriesAtOnce) await flush();
  }
  await flush();
}

/** Null: it stands for nothing. */
function toEntry(header: Header, number: number): LayerEntry | null {
  const parts = entryPath(header.name);
  if (parts.length === 0) return null;
  const whiteout = readWhiteout(parts);
  if (whiteout !== null) return whiteout === 'mark' ? null : whiteout;
  const path = parts.join('/');
  switch (header.type) {
    case 'directory':
      return { kind: 'directory', path };
    case 'file':
    case 'contiguous-file':
      if (Object.keys(header.pax ?? {}).some((key) => key.startsWith('GNU.sparse'))) {
        throw invalidImage('a layer has sparse files');
      }
      return { kind: 'file', path, number };
    case 'symlink':
      return { kind: 'symlink', path, target: requireTarget(header) };
    case 'link':
      return { kind: 'link', path, target: entryPath(requireTarget(header)).join('/') };
    case 'character-device':
    case 'block-device':
    case 'fifo':
      return { kind: 'nothing', path };
    default:
      throw invalidImage('a layer has an entry of a kind that is not known here');
  }
}

function requireTarget({ linkname, name }: Header): string {
  const target: string | null = linkname;
  if (
    target === null ||
    target === '' ||
    target.includes('\0') ||
    Buffer.byteLength(target) > 4_095
  ) {
    throw invalidImage(`a link in a layer leads nowhere: ${JSON.stringify(name.slice(0, 100))}`);
  }
  return target;
}

async function writeFileOf(
  header: Header,
  pieces: AsyncIterable<Buffer>,
  path: string,
): Promise<void> {
  const { mode, mtime } = header;
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const piece of pieces) await writeFile(file, piece);
    // Interpreters compare the time of a source with that in what they compiled of it.
    const seconds = Math.min(Math.max(mtime.getTime() / 1_000, 0), 2 ** 33);
    await file.utimes(seconds, seconds);
    await file.chmod((mode & 0o111) === 0 ? 0o644 : 0o755);
  } finally {
    await file.close();
  }
}

/** The archive on its way: its digest, and an end where it grows too large. */
class CountedHash extends Transform {
  bytes = 0;
  readonly #hash = createHash('sha256');
  readonly #maxBytes: number;
  readonly #roomBytes: number;

  constructor(maxBytes: number, roomBytes: number) {
    super();
    this.#maxBytes = maxBytes;
    this.#roomBytes = roomBytes;
  }

  override _transform(piece: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.bytes += piece.length;
    if (this.bytes > Math.min(this.#maxBytes, this.#roomBytes)) {
      done(this.#roomBytes < this.#maxBytes ? noRoom() : tooLarge(this.#maxBytes));
      return;
    }
    this.#hash.update(piece);
    done(null, piece);
  }

  digest(): string {
    return `sha256:${this.#hash.digest('hex')}`;
  }
}

function decompressor(compression: ResolvedLayer['compression']): Transform[] {
  if (compression === 'none') return [];
  if (compression === 'gzip') return [zlib.createGunzip()];
  // Node has it from 22.15 on.
  if (typeof zlib.createZstdDecompress !== 'function') {
    throw invalidImage('its layers are compressed by zstd, which takes Node 22.15 or newer');
  }
  return [zlib.createZstdDecompress()];
}

function explain(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof SandgateError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOSPC' || code === 'EDQUOT') return noRoom(error);
  return invalidImage('a layer is no archive, or a broken one', error);
}
