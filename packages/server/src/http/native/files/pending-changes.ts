import type { FileChange } from '@sandgate/core';

const mostPending = 10_000;

/**
 * Changes that wait for a client, the last one of each path. A client that is too slow for more than can
 * wait is told that it missed some.
 */
export class PendingChanges implements AsyncIterable<FileChange | 'missed'> {
  readonly #byPath = new Map<string, FileChange['kind']>();
  #missed = false;
  #ended = false;
  #wake: () => void = () => undefined;

  add({ kind, path }: FileChange): void {
    this.#byPath.delete(path);
    this.#byPath.set(path, kind);
    if (this.#byPath.size > mostPending) {
      this.#byPath.clear();
      this.#missed = true;
    }
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<FileChange | 'missed'> {
    for (;;) {
      if (this.#missed) {
        this.#missed = false;
        yield 'missed';
        continue;
      }
      const [first] = this.#byPath;
      if (first !== undefined) {
        const [path, kind] = first;
        this.#byPath.delete(path);
        yield { kind, path };
        continue;
      }
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
