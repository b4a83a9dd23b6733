import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Terminal } from './terminal.ts';

const chunkBytes = 65_536;
const pollMs = 200;
const newLine = 0x0a;

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

async function readAt(file: FileHandle, start: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, start);
  return buffer.subarray(0, bytesRead);
}

/** Where the last `lines` lines begin, reading backwards from `end`. */
async function startOfLines(file: FileHandle, end: number, lines: number): Promise<number> {
  if (!Number.isFinite(lines)) return 0;
  if (lines === 0) return end;
  let seen = 0;
  for (let position = end; position > 0; ) {
    const length = Math.min(chunkBytes, position);
    position -= length;
    const chunk = await readAt(file, position, length);
    for (let index = chunk.length - 1; index >= 0; index -= 1) {
      // The end of the last line begins no other.
      if (chunk[index] !== newLine || position + index === end - 1) continue;
      seen += 1;
      if (seen === lines) return position + index + 1;
    }
  }
  return 0;
}

export interface Tail {
  readonly text: string;
  /** Bytes in the file when it was read. */
  readonly end: number;
}

/** The last lines of a file at or after `from`, or null when there is no file. */
export async function readTail(path: string, lines: number, from = 0): Promise<Tail | null> {
  const file = await openIfThere(path);
  if (file === null) return null;
  try {
    const end = (await file.stat()).size;
    const start = Math.max(from, await startOfLines(file, end, lines));
    return { text: (await readAt(file, start, Math.max(0, end - start))).toString('utf8'), end };
  } finally {
    await file.close();
  }
}

/** Writes what is added to a file after `start`, until the signal, by default for ever. */
export async function followFile(
  path: string,
  start: number,
  terminal: Pick<Terminal, 'write'>,
  signal?: AbortSignal,
): Promise<void> {
  let position = start;
  while (signal?.aborted !== true) {
    const file = await openIfThere(path);
    if (file !== null) {
      try {
        const { size } = await file.stat();
        // A new or emptied file is read from its beginning.
        if (size < position) position = 0;
        while (position < size) {
          const chunk = await readAt(file, position, Math.min(chunkBytes, size - position));
          if (chunk.length === 0) break;
          position += chunk.length;
          terminal.write(chunk);
        }
      } finally {
        await file.close();
      }
    }
    await delay(pollMs, undefined, signal === undefined ? {} : { signal }).catch(() => {});
  }
}
