import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock, Engine, ImagePullProgress } from '@sandgate/core';
import type { ServerConfig } from './config/index.ts';
import { combineEngines } from './engines/combined-engine.ts';
import type { TemplateImage } from './engines/namespace/image/image-source.ts';
import { createNamespaceEngine } from './engines/namespace/namespace-engine.ts';
import { connectionLimit } from './http/connection-limit.ts';
import type { RegistryImages } from './images/registry-images.ts';

const mebibyte = 1_048_576;

/** Templates of the Docker engine were named by the operator, so they go before those of the host. */
export async function createEngine(
  stateDirectory: string,
  config: ServerConfig,
  environment: Readonly<Record<string, string | undefined>>,
  clock: Clock,
  onPull: (name: string, progress: ImagePullProgress) => void,
): Promise<Engine> {
  const { launcher, pythonPath, docker } = config.engine;
  const { nameServers, ...egress } = config.egress;
  const images = await createImages(stateDirectory, config, clock);
  const namespaces = createNamespaceEngine({
    stateDirectory,
    images,
    templateImages: templateImages(images, config, onPull),
    launcher,
    ...(pythonPath === null ? {} : { pythonPath }),
    searchPath: environment.PATH ?? '/usr/bin:/bin',
    egress,
    nameServers,
    // With two descriptors each, a quarter of all: half are for clients, and the rest for everything else.
    maxEgressConnections: Math.floor(connectionLimit() / 4),
    clock,
  });
  if (docker === null) return namespaces;
  const { createDockerEngine } = await import('./engines/docker/docker-engine.ts');
  const containers = createDockerEngine({
    // Containers outlive the process: the next one on this home has to know them.
    instance: createHash('sha256').update(stateDirectory).digest('hex').slice(0, 12),
    socketPath: docker.socketPath,
    runtime: docker.runtime,
    templates: Object.entries(docker.templates).map(([name, template]) => ({ name, ...template })),
    pulls: await createDockerPulls(config),
    guestDirectory: fileURLToPath(new URL('../guest', import.meta.url)),
  });
  return combineEngines([containers, namespaces]);
}

/** What the operator has made templates of. */
function templateImages(
  images: RegistryImages,
  { images: { local, templates } }: ServerConfig,
  onPull: (name: string, progress: ImagePullProgress) => void,
): TemplateImage[] {
  const own = Object.entries(local).map(([name, { path, description }]) => ({
    name,
    description: description ?? path,
    setting: `images.local.${name}`,
    hold: () => images.holdLocal(name, path),
  }));
  const pulled = Object.entries(templates).map(([name, template]) => {
    const { reference, description, username, password, allowHttp } = template;
    const credentials = username === null ? null : { username, password: password ?? '' };
    let told = '';
    const onProgress = (progress: ImagePullProgress): void => {
      const step = progressStep(progress);
      if (step !== told) onPull(name, progress);
      told = step;
    };
    return {
      name,
      description: description ?? reference,
      setting: `images.templates.${name}`,
      hold: () => images.holdReference({ reference, credentials, allowHttp, onProgress }),
    };
  });
  return [...own, ...pulled];
}

/** The same for what is not worth a line of log between. */
const progressStep = ({ phase, doneBytes, totalBytes }: ImagePullProgress): string =>
  `${phase} ${Math.floor((10 * doneBytes) / (totalBytes || 1))}`;

/** What the namespace engine can start besides the host's own programs. Makes nothing before the first pull. */
async function createImages(stateDirectory: string, config: ServerConfig, clock: Clock) {
  const { openRegistryImages } = await import('./images/registry-images.ts');
  const { directory, allowedPrivateHosts, maxMib, storeMib, pullSeconds } = config.images;
  return openRegistryImages({
    directory: directory ?? defaultImageDirectory(stateDirectory),
    allowedPrivateHosts,
    maxBytes: maxMib * mebibyte,
    maxStoreBytes: storeMib * mebibyte,
    maxPullMs: pullSeconds * 1_000,
    clock,
  });
}

async function createDockerPulls({ images }: ServerConfig) {
  const { createReferenceReader } = await import('./registry/allowed-reference.ts');
  const { resolveHost } = await import('./outbound/resolve-host.ts');
  const { allowedPrivateHosts, maxMib } = images;
  return {
    readReference: createReferenceReader({ allowedPrivateHosts, resolve: resolveHost }),
    maxBytes: maxMib * mebibyte,
  };
}

/** Sandboxes of a root server run as other users, and its home is closed to them. */
function defaultImageDirectory(stateDirectory: string): string {
  if (process.getuid?.() !== 0) return join(stateDirectory, 'images');
  const name = createHash('sha256').update(stateDirectory).digest('hex').slice(0, 16);
  return join('/var/lib/sandgate/images', name);
}
