import { createHash } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { pack } from 'tar-stream';

export type TarEntry = Parameters<ReturnType<typeof pack>['entry']>[0] & {
  readonly body?: Buffer | string;
};

/** A layer as it is pushed, with what a manifest and a configuration say of it. */
export interface TestLayer {
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly diffId: string;
}

export interface TestImage {
  readonly manifest: Buffer;
  readonly mediaType: string;
  readonly config: Buffer;
  readonly layers: readonly TestLayer[];
}

export const digestOf = (bytes: Buffer): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const ociLayer = 'application/vnd.oci.image.layer.v1.tar';

export async function tarOf(entries: readonly TarEntry[]): Promise<Buffer> {
  const archive = pack();
  for (const { body = '', ...header } of entries) archive.entry(header, body);
  archive.finalize();
  const pieces: Uint8Array[] = [];
  for await (const piece of archive as AsyncIterable<Uint8Array>) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Of an archive. Docker's media type is that of its second schema. */
export function layerOf(
  archive: Buffer,
  compression: 'none' | 'gzip' | 'zstd' | 'docker' = 'gzip',
): TestLayer {
  const diffId = digestOf(archive);
  switch (compression) {
    case 'none':
      return { bytes: archive, mediaType: ociLayer, diffId };
    case 'gzip':
      return { bytes: gzipSync(archive), mediaType: `${ociLayer}+gzip`, diffId };
    case 'zstd':
      return { bytes: zstdCompressSync(archive), mediaType: `${ociLayer}+zstd`, diffId };
    case 'docker': {
      const mediaType = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
      return { bytes: gzipSync(archive), mediaType, diffId };
    }
  }
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64' };
export const ownArchitecture = architectures[process.arch] ?? process.arch;

export interface TestImageOptions {
  readonly layers: readonly TestLayer[];
  readonly config?: Readonly<Record<string, unknown>>;
  readonly architecture?: string;
  readonly kind?: 'oci' | 'docker';
}

export function imageOf(options: TestImageOptions): TestImage {
  const { layers, config = {}, architecture = ownArchitecture, kind = 'oci' } = options;
  const configBytes = Buffer.from(
    JSON.stringify({
      architecture,
      os: 'linux',
      config,
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    }),
  );
  const [mediaType, configType] =
    kind === 'oci'
      ? ['application/vnd.oci.image.manifest.v1+json', 'application/vnd.oci.image.config.v1+json']
      : [
          'application/vnd.docker.distribution.manifest.v2+json',
          'application/vnd.docker.container.image.v1+json',
        ];
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: { mediaType: configType, digest: digestOf(configBytes), size: configBytes.length },
      layers: layers.map((layer) => ({
        mediaType: layer.mediaType,
        digest: digestOf(layer.bytes),
        size: layer.bytes.length,
      })),
    }),
  );
  return { manifest, mediaType, config: configBytes, layers };
}

export interface TestIndexEntry {
  readonly image: TestImage;
  readonly platform: {
    readonly os: string;
    readonly architecture: string;
    readonly variant?: string;
  };
}

export const indexType = 'application/vnd.oci.image.index.v1+json';

export function indexOf(entries: readonly TestIndexEntry[]): Buffer {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: indexType,
      manifests: entries.map(({ image, platform }) => ({
        mediaType: image.mediaType,
        digest: digestOf(image.manifest),
        size: image.manifest.length,
        platform,
      })),
    }),
  );
}
