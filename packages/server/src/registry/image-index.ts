import { type ImagePlatform, SandgateError } from '@sandgate/core';
import { digestForm } from './image-reference.ts';
import { invalidImage } from './registry-failure.ts';

export const indexTypes: readonly string[] = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];

const maxManifests = 1_000;

/** Names of Go, in which images are described, for those of Node. */
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

export const thisPlatform: ImagePlatform = {
  os: 'linux',
  architecture: architectures[process.arch] ?? process.arch,
};

const words = ({ os, architecture, variant }: ImagePlatform): string =>
  [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');

/**
 * Digest of the manifest for a platform. One of the wanted variant goes first; without a wanted one, the
 * first that is listed.
 * @throws SandgateError `platform_not_offered`, `image_invalid`
 */
export function choosePlatform(
  index: Readonly<Record<string, unknown>>,
  wanted: ImagePlatform,
): string {
  const listed: readonly unknown[] = Array.isArray(index.manifests) ? index.manifests : [];
  if (listed.length > maxManifests) throw invalidImage('its index is too long');
  const offered = listed.flatMap((entry) => {
    const { digest, platform } = (entry ?? {}) as { digest?: unknown; platform?: unknown };
    const { os, architecture, variant } = (platform ?? {}) as Record<string, unknown>;
    if (typeof digest !== 'string' || !digestForm.test(digest)) return [];
    if (typeof os !== 'string' || typeof architecture !== 'string') return [];
    return [{ digest, os, architecture, ...(typeof variant === 'string' ? { variant } : {}) }];
  });
  const fitting = offered.filter(
    ({ os, architecture }) => os === wanted.os && architecture === wanted.architecture,
  );
  const found =
    wanted.variant === undefined
      ? fitting[0]
      : (fitting.find(({ variant }) => variant === wanted.variant) ??
        fitting.find((each) => !('variant' in each)));
  if (found !== undefined) return found.digest;
  throw notOffered(wanted, offered.filter(({ os }) => os !== 'unknown').map(words));
}

export function notOffered(wanted: ImagePlatform, offered: readonly string[]): SandgateError {
  const list = [...new Set(offered)].slice(0, 20).join(', ');
  return new SandgateError(
    'platform_not_offered',
    `The image is not there for ${words(wanted)}. It is there for: ${list === '' ? 'nothing' : list}`,
  );
}
