import { type FileEntry, type SandboxFiles, SandgateError } from '@sandgate/core';

/** Files in memory, flat: enough for tests of what is done around them. */
export function createMemoryFiles(): SandboxFiles {
  const files = new Map<string, Buffer>();
  const entryOf = (path: string): FileEntry => {
    const data = files.get(path);
    if (data === undefined) throw new SandgateError('file_not_found', `${path} does not exist`);
    const plain = { kind: 'file', mode: 0o644, modifiedAtMs: 0, linkTarget: null } as const;
    return { path, sizeBytes: data.byteLength, ...plain };
  };
  return {
    stat: async (path) => entryOf(path),
    list: async (path) => [...files.keys()].filter((name) => name.startsWith(path)).map(entryOf),
    makeDirectory: async () => undefined,
    async move(from, to) {
      entryOf(from);
      files.set(to, files.get(from) ?? Buffer.alloc(0));
      files.delete(from);
    },
    async remove(path) {
      entryOf(path);
      files.delete(path);
    },
    async read({ path, offsetBytes = 0, lengthBytes, onEntry, onData }) {
      onEntry?.(entryOf(path));
      const data = files.get(path) ?? Buffer.alloc(0);
      const part = data.subarray(offsetBytes, offsetBytes + (lengthBytes ?? data.byteLength));
      // A copy: the piece is the receiver's.
      await onData(Buffer.from(part));
    },
    async write({ path, source }) {
      const pieces: Uint8Array[] = [];
      for await (const piece of source) pieces.push(Buffer.from(piece));
      const data = Buffer.concat(pieces);
      files.set(path, data);
      return data.byteLength;
    },
    pack: async () => undefined,
    unpack: async () => undefined,
    watch: ({ signal, onWatching }) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve());
        onWatching?.();
      }),
  };
}
