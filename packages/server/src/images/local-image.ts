import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { type PulledImage, SandgateError } from '@sandgate/core';
import type { ResolvedLayer } from '../registry/resolve-image.ts';
import { type ImageStore, layerName, type OpenedImage } from './image-store.ts';
import { unpackLayer } from './unpack-layer.ts';

/**
 * A root file system on this machine as an image: a directory as it is, or an archive of one, which is unpacked
 * into the store unless it is there. It stays until it is released.
 * @throws SandgateError `image_unknown`, `image_invalid`, `image_too_large`, `disk_full`
 */
export async function openLocalImage(
  store: ImageStore,
  {
    name,
    path,
    maxBytes,
  }: { readonly name: string; readonly path: string; readonly maxBytes: number },
): Promise<OpenedImage> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new SandgateError('image_unknown', `${path} cannot be read`, { cause });
  });
  if (found.isDirectory()) {
    return { directory: path, image: describe(name, '', [], 0), release: () => undefined };
  }
  const identity = `${path} ${found.size} ${found.mtimeMs}`;
  const digest = `sha256:${createHash('sha256').update(identity).digest('hex')}`;
  const image = `${name}@${digest}`;
  const held = await store.hold(image);
  if (held !== null) return held;
  // No registry has that name.
  const layer = layerName('/', digest);
  const unclaim = store.claimLayers([layer]);
  try {
    const { signal } = new AbortController();
    const unpacked =
      (await store.layer(layer)) ??
      (await store.addLayer(layer, async (directory, roomBytes) =>
        unpackLayer(
          path,
          directory,
          { compression: await readCompression(path), diffId: null },
          { maxBytes, roomBytes, signal },
        ),
      ));
    await store.addImage(describe(image, digest, [digest], unpacked.sizeBytes), [layer], signal);
  } finally {
    unclaim();
  }
  const made = await store.hold(image);
  if (made !== null) return made;
  throw new SandgateError('image_unknown', `${path} was unpacked, and is gone already`);
}

const describe = (
  image: string,
  digest: string,
  layers: readonly string[],
  sizeBytes: number,
): PulledImage => ({
  image,
  digest,
  layers,
  config: { env: {}, entrypoint: [], cmd: [], workdir: null, user: null, exposedPorts: [] },
  sizeBytes,
});

/** By the first bytes: of gzip (RFC 1952, 2.3.1) and Zstandard (RFC 8878, 3.1.1). */
async function readCompression(path: string): Promise<ResolvedLayer['compression']> {
  const file = await open(path, 'r');
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
    if (buffer.subarray(0, 2).equals(Buffer.from([0x1f, 0x8b]))) return 'gzip';
    return buffer.equals(Buffer.from([0x28, 0xb5, 0x2f, 0xfd])) ? 'zstd' : 'none';
  } finally {
    await file.close();
  }
}
