import { existsSync } from 'node:fs';
import { type FileHandle, link, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { type ExecOutcome, type ExecRequest, SandgateError } from '@sandgate/core';
import { explainShortage } from './descriptor-shortage.ts';

type Exec = (request: ExecRequest) => Promise<ExecOutcome>;

/**
 * What an archive may have beyond the bytes that the sandbox's file system bounds: a header of 512
 * bytes for each file, and some more for a long name. Room for as many files as are in a large tree,
 * not for whatever a sandbox would like to leave on the host's disk.
 */
const overheadShare = 1 / 8;
const overheadBytes = 8 * 1_048_576;
/** A tar archive ends with two blocks of zeros (POSIX.1-2024, pax, ustar interchange format). */
const endOfArchive = Buffer.alloc(1024);
const maxErrorBytes = 2_048;
const readBytes = 262_144;
/** Far above what a full disk of any allowed size takes. */
const deadlineMs = 300_000;

/**
 * A sandbox that says nothing for so long, or is slower than any disk, does not save its files: code
 * in it may have stopped the agent and answer in its place, and must not hold up the server's end.
 */
const maxSilenceMs = 15_000;
const baseDurationMs = 30_000;
const minBytesPerSecond = 20 * 1_048_576;

/**
 * No program can name a longer path in one call (PATH_MAX of Linux is 4,096), unpacking cannot either,
 * and an archive repeats the whole path for each directory on the way: the gigabytes of a chain of
 * directories grow with the square of its length.
 */
const maxPathBytes = 4_000;
/** For `fnmatch`, as both tar and find match whole names: a dot, and a longer path than that. */
const tooLongPath = `.${'?'.repeat(maxPathBytes + 1)}*`;
/** Names have 255 bytes: a path in fewer steps is not as long. */
const fewestSteps = Math.ceil(maxPathBytes / 256);
/** Lengths are counted in bytes. */
const environment = { LC_ALL: 'C' };
/** Said before anything of `tar`'s. */
const leftOutMark = 'left out';
/**
 * Looks for one such path, says on the error stream that there is one, and becomes `tar`. All in one
 * call: a sandbox may have room for one process alone, and there is one answer that code in it could
 * forge. Without `find` in the sandbox nobody is told of what is lost. Words: the directory, `tar`'s.
 */
const saveScript = [
  'cd -- "$1" && shift',
  `find . -xdev -mindepth ${fewestSteps} -path '${tooLongPath}' -printf '${leftOutMark}\\n' -quit >&2 2>/dev/null`,
  'exec "$@"',
].join('\n');

/** Absolute paths inside: GNU tar, and a shell. */
export interface ArchivePrograms {
  readonly tar: string;
  readonly shell: string;
}

/** What of a layer is told of while it is stored. */
export interface SaveListener {
  /** Called before each piece is stored, with its length. What it throws ends the saving. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
  /** Called when something is not stored, with a sentence that says what. */
  readonly onLeftOut?: ((sentence: string) => void) | undefined;
}

export interface SaveOptions extends SaveListener {
  /** The directory inside whose files are saved. Default: all. */
  readonly root?: string;
}

/**
 * Writable layers of sandboxes or snapshots, one tar file each, written and unpacked by `tar` inside the sandbox: an archive
 * is as trustworthy as the sandbox that made it, and the server never looks into it.
 */
export class LayerArchive {
  readonly #directory: string;
  readonly #programs: ArchivePrograms | null;

  /** Without `programs` nothing can be saved or restored. */
  constructor(directory: string, programs: ArchivePrograms | null) {
    this.#directory = directory;
    this.#programs = programs;
  }

  has(id: string): boolean {
    return existsSync(this.#path(id));
  }

  /**
   * Unpacks a layer.
   * @throws SandgateError `engine_failed` when not all of it could be unpacked.
   */
  async restore(id: string, exec: Exec, root = '/'): Promise<void> {
    const file = await open(this.#path(id), 'r').catch((cause: unknown) => {
      throw explainShortage(cause);
    });
    const errors = new ErrorText();
    let outcome: ExecOutcome;
    try {
      outcome = await exec({
        argv: [this.#require().tar, '-x', '-p', '-f', '-', '-C', root],
        cwd: '/',
        timeoutMs: deadlineMs,
        stdin: readAll(file),
        onOutput: (chunk) => errors.add(chunk.data),
      });
    } finally {
      await file.close();
    }
    if (outcome.kind === 'exited' && outcome.exitCode === 0) return;
    throw new SandgateError(
      'engine_failed',
      "The sandbox's stored files could not be restored; its disk or memory may be too small.",
      { detail: errors.text },
    );
  }

  /**
   * Replaces the stored layer. The old one stays until the new one is complete and on disk.
   * `maxBytes` is the size of the sandbox's file system. Resolves with the size of the archive.
   * @throws SandgateError `engine_failed`, and what `onBytes` throws
   */
  async save(
    id: string,
    maxBytes: number,
    outside: readonly string[],
    exec: Exec,
    { onBytes, onLeftOut, root = '/' }: SaveOptions = {},
  ): Promise<number> {
    const path = this.#path(id);
    const partial = `${path}.partial`;
    const file = await open(partial, 'w', 0o600);
    const errors = new ErrorText();
    const silence = new AbortController();
    const silent = setTimeout(() => silence.abort(), maxSilenceMs);
    let counted = true;
    try {
      const { tar, shell } = this.#require();
      const sink = new ArchiveSink(file, maxBytes * (1 + overheadShare) + overheadBytes);
      const outcome = await exec({
        argv: [
          ...[shell, '-c', saveScript, 'sh', root],
          ...[tar, '-c', '-f', '-', '-C', root, '--one-file-system', '--sparse'],
          ...['--anchored', '--no-wildcards', ...outside.map((entry) => `--exclude=.${entry}`)],
          ...['--wildcards', '--wildcards-match-slash', `--exclude=${tooLongPath}`, '.'],
        ],
        cwd: '/',
        environment,
        timeoutMs: baseDurationMs + (maxBytes / minBytesPerSecond) * 1_000,
        signal: silence.signal,
        onOutput: async (chunk) => {
          silent.refresh();
          if (chunk.stream === 'stdout') {
            counted = false;
            onBytes?.(chunk.data.length);
            counted = true;
            await sink.add(chunk.data);
          } else errors.add(chunk.data);
          silent.refresh();
        },
      });
      // GNU tar ends with 1 or 2 when it could not read some file, and still writes the rest.
      const ended = outcome.kind === 'exited' && outcome.exitCode <= 2;
      if (!ended || !sink.complete) throw new Error(errors.text || `tar ended: ${outcome.kind}`);
      await file.sync();
      await file.close();
      await rename(partial, path);
      if (errors.text.startsWith(`${leftOutMark}\n`)) {
        const place = root === '/' ? '' : ` in ${root}`;
        onLeftOut?.(`What has a path of more than ${maxPathBytes} bytes${place} was not kept.`);
      }
      return sink.bytes;
    } catch (cause) {
      silence.abort();
      await file.close().catch(() => {});
      await rm(partial, { force: true });
      if (!counted) throw cause;
      throw new SandgateError(
        'engine_failed',
        "The sandbox's files could not be saved; what was stored of it before is kept.",
        { cause },
      );
    } finally {
      clearTimeout(silent);
    }
  }

  /** Stores one of them under an id of another archive too, without a copy: none is ever changed. */
  async lend(id: string, to: LayerArchive, as: string): Promise<void> {
    await link(this.#path(id), to.#path(as));
  }

  async remove(id: string): Promise<void> {
    await rm(this.#path(id), { force: true });
    await rm(`${this.#path(id)}.partial`, { force: true });
  }

  /** Bytes of every stored layer, by its id. */
  async sizes(): Promise<ReadonlyMap<string, number>> {
    const sizes = new Map<string, number>();
    for (const name of await readdir(this.#directory)) {
      if (extname(name) !== '.tar') continue;
      const found = await stat(join(this.#directory, name)).catch(() => null);
      if (found !== null) sizes.set(basename(name, '.tar'), found.size);
    }
    return sizes;
  }

  /** Removes what a server left that was killed while it saved. */
  async removePartial(isSaved: (id: string) => boolean): Promise<void> {
    for (const name of await readdir(this.#directory)) {
      const id = /^([0-9a-f]{24})\.tar\.partial$/.exec(name)?.[1];
      if (id !== undefined && !isSaved(id)) await rm(join(this.#directory, name), { force: true });
    }
  }

  #require(): ArchivePrograms {
    if (this.#programs !== null) return this.#programs;
    throw new SandgateError('capability_missing', 'Layers need GNU tar on the host.');
  }

  #path(id: string): string {
    if (!/^[0-9a-f]{24}$/.test(id)) {
      throw new SandgateError('invalid_request', 'An id has 24 hexadecimal digits.');
    }
    return join(this.#directory, `${id}.tar`);
  }
}

/** Not a stream, which would open and fail by itself when nobody reads it. */
async function* readAll(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(readBytes));
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

class ArchiveSink {
  readonly #file: FileHandle;
  readonly #maxBytes: number;
  #bytes = 0;
  #tail = Buffer.alloc(0);

  constructor(file: FileHandle, maxBytes: number) {
    this.#file = file;
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get complete(): boolean {
    return this.#bytes % 512 === 0 && this.#tail.equals(endOfArchive);
  }

  async add(data: Buffer): Promise<void> {
    this.#bytes += data.length;
    if (this.#bytes > this.#maxBytes) throw new Error('the archive is larger than the disk');
    this.#tail = Buffer.concat([this.#tail, data.subarray(-endOfArchive.length)]).subarray(
      -endOfArchive.length,
    );
    await this.#file.writeFile(data);
  }
}

class ErrorText {
  text = '';

  add(data: Buffer): void {
    this.text = (this.text + data.toString('utf8')).slice(0, maxErrorBytes);
  }
}
