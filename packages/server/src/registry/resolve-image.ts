import { createHash } from 'node:crypto';
import type { ImageConfig, ImagePlatform } from '@sandgate/core';
import { parseImageConfig } from './image-config.ts';
import { choosePlatform, indexTypes } from './image-index.ts';
import { digestForm } from './image-reference.ts';
import type { RegistryClient } from './registry-client.ts';
import { digestMismatch, invalidImage, tooLarge } from './registry-failure.ts';
import { parseObject, readBody } from './registry-http.ts';

export interface ResolvedLayer {
  /** As it is transferred. */
  readonly digest: string;
  readonly sizeBytes: number;
  readonly compression: 'none' | 'gzip' | 'zstd';
  /** Of the archive when it is unpacked. */
  readonly diffId: string;
}

/** An image as its registry describes it. */
export interface ResolvedImage {
  /** Of the manifest for the platform. */
  readonly digest: string;
  /** Lowest first. */
  readonly layers: readonly ResolvedLayer[];
  readonly config: ImageConfig;
}

/** What the specification asks registries to take at least. */
const maxManifestBytes = 4_194_304;
const maxConfigBytes = 8_388_608;
const maxLayers = 256;

const manifestTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
const accept = [...manifestTypes, ...indexTypes].join(', ');

const layerCompressions: Readonly<Record<string, ResolvedLayer['compression']>> = {
  'application/vnd.oci.image.layer.v1.tar': 'none',
  'application/vnd.oci.image.layer.v1.tar+gzip': 'gzip',
  'application/vnd.oci.image.layer.v1.tar+zstd': 'zstd',
  'application/vnd.oci.image.layer.nondistributable.v1.tar': 'none',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip': 'gzip',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd': 'zstd',
  'application/vnd.docker.image.rootfs.diff.tar': 'none',
  'application/vnd.docker.image.rootfs.diff.tar.gzip': 'gzip',
  'application/vnd.docker.image.rootfs.diff.tar.zstd': 'zstd',
  'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip': 'gzip',
};

/** Reads the manifest of a reference, that of the platform where there are several, and its configuration. */
export async function resolveImage(
  client: RegistryClient,
  version: string,
  platform: ImagePlatform,
  limits: { readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<ResolvedImage> {
  const { signal } = limits;
  let found = await readManifest(client, version, signal);
  if (found.isIndex) {
    const chosen = choosePlatform(found.document, platform);
    found = await readManifest(client, chosen, signal);
    if (found.isIndex) throw invalidImage('its index leads to another index');
  }
  const { document, digest } = found;
  const config = descriptor(document.config);
  const layers = Array.isArray(document.layers) ? document.layers.map(descriptor) : [];
  if (layers.length > maxLayers) throw invalidImage(`it has more than ${maxLayers} layers`);
  const total = layers.reduce((sum, { size }) => sum + size, 0);
  if (total > limits.maxBytes) throw tooLarge(limits.maxBytes);
  const { image, diffIds } = parseImageConfig(await readConfig(client, config, signal), platform);
  if (diffIds.length !== layers.length) throw invalidImage('its layers are not all described');
  return {
    digest,
    config: image,
    layers: layers.map((layer, at) => {
      const compression = Object.hasOwn(layerCompressions, layer.mediaType)
        ? layerCompressions[layer.mediaType]
        : undefined;
      if (compression === undefined) {
        throw invalidImage(`it has a layer of the type ${JSON.stringify(layer.mediaType)}`);
      }
      const diffId = diffIds[at] as string;
      return { digest: layer.digest, sizeBytes: layer.size, compression, diffId };
    }),
  };
}

interface Manifest {
  readonly document: Readonly<Record<string, unknown>>;
  readonly digest: string;
  readonly isIndex: boolean;
}

async function readManifest(
  client: RegistryClient,
  version: string,
  signal: AbortSignal,
): Promise<Manifest> {
  const answer = await client.manifest(version, accept, signal);
  const body = await readBody(answer, maxManifestBytes, signal);
  const digest = digestOf(body);
  // By a tag there is nothing to compare with but what the registry says itself.
  const said = digestForm.test(version) ? version : answer.headers['docker-content-digest'];
  if (typeof said === 'string' && digestForm.test(said) && said !== digest) {
    throw digestMismatch('manifest', said);
  }
  const document = parseObject(body);
  if (document === null) throw invalidImage('its manifest is no JSON object');
  const [sent = ''] = (answer.headers['content-type'] ?? '').split(';');
  const type = typeof document.mediaType === 'string' ? document.mediaType : sent.trim();
  const isIndex = indexTypes.includes(type);
  // A list in a manifest, or layers in an index, would be read as another image by other clients.
  if (!(isIndex || manifestTypes.includes(type)) || isIndex === 'layers' in document) {
    throw invalidImage(
      `its manifest is of the type ${JSON.stringify(type)}, which is not known here`,
    );
  }
  return { document, digest, isIndex };
}

async function readConfig(
  client: RegistryClient,
  { digest, size }: Descriptor,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  if (size > maxConfigBytes) throw invalidImage('its configuration is too long');
  const body = await readBody(await client.blob(digest, 0, signal), maxConfigBytes, signal);
  if (digestOf(body) !== digest) throw digestMismatch('configuration', digest);
  const document = parseObject(body);
  if (document === null) throw invalidImage('its configuration is no JSON object');
  return document;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** Of something else (OCI content descriptors). */
function descriptor(value: unknown): Descriptor {
  const { mediaType, digest, size } = (value ?? {}) as Partial<Record<keyof Descriptor, unknown>>;
  if (
    typeof mediaType !== 'string' ||
    typeof digest !== 'string' ||
    !digestForm.test(digest) ||
    !Number.isSafeInteger(size) ||
    (size as number) < 0
  ) {
    throw invalidImage('its manifest names something without type, size or sha256 digest');
  }
  return { mediaType, digest, size: size as number };
}

const digestOf = (bytes: Buffer): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
