import { join } from 'node:path';
import {
  type Clock,
  type ImagePull,
  type ImagePuller,
  type ImagePullProgress,
  type PulledImage,
  SandgateError,
  Turns,
} from '@sandgate/core';
import { resolveHost } from '../outbound/resolve-host.ts';
import { downloadBlob } from '../registry/download-blob.ts';
import { thisPlatform } from '../registry/image-index.ts';
import {
  type ImageReference,
  parseImageReference,
  pinnedReference,
} from '../registry/image-reference.ts';
import { RegistryClient } from '../registry/registry-client.ts';
import { invalidImage, tooLarge, unreachable } from '../registry/registry-failure.ts';
import { createRegistryHttp, type RegistryHttp } from '../registry/registry-http.ts';
import { type ResolvedImage, type ResolvedLayer, resolveImage } from '../registry/resolve-image.ts';
import { ImageStore, layerName, type OpenedImage } from './image-store.ts';
import { openLocalImage } from './local-image.ts';
import { PullProgress } from './pull-progress.ts';
import { SharedWork } from './shared-work.ts';
import { type UnpackedLayer, unpackLayer } from './unpack-layer.ts';

export interface RegistryImagesOptions {
  readonly http: RegistryHttp;
  readonly store: ImageStore;
  /** Of one image, packed or unpacked. */
  readonly maxBytes: number;
  /** How long a pull may take. */
  readonly maxPullMs: number;
  /** For how often progress is told. */
  readonly nowMs: () => number;
}

const layersAtOnce = 3;
/** The others wait: each takes connections, a processor and the disk. */
const imagesAtOnce = 4;
const silenceMs = 60_000;

/** Images in a directory of this machine. */
export function openRegistryImages(options: {
  readonly directory: string;
  readonly allowedPrivateHosts: readonly string[];
  /** Of one image, packed or unpacked. */
  readonly maxBytes: number;
  readonly maxStoreBytes: number;
  readonly maxPullMs: number;
  readonly clock: Clock;
}): RegistryImages {
  const { directory, allowedPrivateHosts, maxBytes, maxStoreBytes, maxPullMs, clock } = options;
  return new RegistryImages({
    http: createRegistryHttp({ allowedPrivateHosts, resolve: resolveHost, silenceMs }),
    store: new ImageStore({ directory, maxBytes: maxStoreBytes, clock }),
    maxBytes,
    maxPullMs,
    nowMs: () => clock.nowMs(),
  });
}

/** Images out of registries, in a store on this machine. */
export class RegistryImages implements ImagePuller {
  readonly #options: RegistryImagesOptions;
  readonly #pulls = new SharedWork<PulledImage, ImagePullProgress>();
  readonly #layers = new SharedWork<UnpackedLayer, LayerStep>();
  readonly #turns = new Turns(imagesAtOnce);
  readonly #turnsOf = new Map<string, Turns>();

  constructor(options: RegistryImagesOptions) {
    this.#options = options;
  }

  async pull(request: ImagePull): Promise<PulledImage> {
    const { store, maxBytes, nowMs } = this.#options;
    const reference = parseImageReference(request.reference);
    const late = AbortSignal.timeout(this.#options.maxPullMs);
    const signal = request.signal === undefined ? late : AbortSignal.any([late, request.signal]);
    const tell = request.onProgress;
    try {
      tell?.({ phase: 'resolving', layer: null, doneBytes: 0, totalBytes: null });
      // Each caller asks for itself: that others have the image says nothing of what this one may have.
      const client = this.#client(request, reference);
      const platform = request.platform ?? thisPlatform;
      const resolved = await resolveImage(client, reference.version, platform, {
        maxBytes,
        signal,
      });
      const image = pinnedReference(reference, resolved.digest);
      const found = await store.hold(image);
      found?.release();
      const pulled =
        found?.image ??
        (await this.#pulls.run(
          image,
          (shared, emit) => {
            const progress = new PullProgress(resolved.layers, emit, nowMs);
            const bringing = { image, reference, resolved, client, progress };
            const work = () => this.#bring(bringing, shared);
            return this.#inTurn(request.workspaceId, work, shared);
          },
          { signal, onEvent: tell },
        ));
      tell?.({ phase: 'ready', layer: null, ...bytesOf(resolved) });
      return pulled;
    } catch (error) {
      if (late.aborted && request.signal?.aborted !== true) {
        throw unreachable('the pull takes too long', error);
      }
      throw error;
    }
  }

  find(image: string): Promise<PulledImage | null> {
    return this.#options.store.find(image);
  }

  list(): Promise<readonly PulledImage[]> {
    return this.#options.store.list();
  }

  removeOthers(kept: ReadonlySet<string>): Promise<{ readonly freedBytes: number }> {
    return this.#options.store.removeOthers(kept);
  }

  /**
   * What a reference means by now; while its registry cannot be reached, what it meant the last time.
   * @throws SandgateError as `pull` does
   */
  async holdReference(request: ImagePull): Promise<OpenedImage> {
    const { store } = this.#options;
    const { reference } = request;
    try {
      const { image } = await this.pull(request);
      const held = await store.hold(image);
      if (held === null) throw invalidImage('it was removed while it came');
      await store.remember(reference, image);
      return held;
    } catch (error) {
      const gone = error instanceof SandgateError && error.code === 'registry_unreachable';
      const last = gone ? await store.holdLast(reference) : null;
      if (last === null) throw error;
      return last;
    }
  }

  /** A directory or archive of this machine. @throws SandgateError as `openLocalImage` does */
  holdLocal(name: string, path: string): Promise<OpenedImage> {
    const { store, maxBytes } = this.#options;
    return openLocalImage(store, { name, path, maxBytes });
  }

  /** For a sandbox that is to run from it. Null: it is not here. */
  hold(image: string): Promise<OpenedImage | null> {
    return this.#options.store.hold(image);
  }

  #client(request: ImagePull, reference: ImageReference): RegistryClient {
    const { credentials, allowHttp = false } = request;
    return new RegistryClient(this.#options.http, { reference, credentials, allowHttp });
  }

  /** Slow registries of a workspace take one of the turns, and not all. */
  #inTurn(
    workspaceId: string | undefined,
    work: () => Promise<PulledImage>,
    signal: AbortSignal,
  ): Promise<PulledImage> {
    if (workspaceId === undefined) return this.#turns.run(work, signal);
    const own = this.#turnsOf.get(workspaceId) ?? new Turns(1);
    this.#turnsOf.set(workspaceId, own);
    return own.run(() => this.#turns.run(work, signal), signal);
  }

  async #bring(pull: Bringing, signal: AbortSignal): Promise<PulledImage> {
    const { store, maxBytes } = this.#options;
    const { image, reference, resolved } = pull;
    // Somebody may have brought it since it was looked for.
    const found = await store.find(image);
    if (found !== null) return found;
    const names = resolved.layers.map(({ digest }) => layerName(reference.registry, digest));
    const unclaim = store.claimLayers(names);
    try {
      const waiting = resolved.layers.map((layer, at) => ({ layer, name: names[at] as string }));
      let sizeBytes = 0;
      // The others of a layer that fails are given up, and waited for.
      const failed = new AbortController();
      const either = AbortSignal.any([signal, failed.signal]);
      const work = async (): Promise<void> => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          const unpacked = await this.#bringLayer(pull, next.layer, next.name, either);
          sizeBytes += unpacked.sizeBytes;
          if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
        }
      };
      const ends = await Promise.allSettled(
        Array.from({ length: layersAtOnce }, () =>
          work().catch((error: unknown) => {
            failed.abort(error);
            throw error;
          }),
        ),
      );
      if (ends.some(({ status }) => status === 'rejected')) throw either.reason;
      const { digest, config } = resolved;
      const layers = resolved.layers.map((layer) => layer.digest);
      const pulled: PulledImage = { image, digest, layers, config, sizeBytes };
      await store.addImage(pulled, names, signal);
      return pulled;
    } finally {
      unclaim();
    }
  }

  async #bringLayer(
    { client, progress }: Bringing,
    layer: ResolvedLayer,
    name: string,
    signal: AbortSignal,
  ): Promise<UnpackedLayer> {
    const { store, maxBytes } = this.#options;
    const isHere = await store.layer(name);
    // What is here or comes for somebody else has yet to be shown to be this user's too.
    if (isHere !== null || this.#layers.has(name)) await client.requireBlob(layer.digest, signal);
    const found =
      isHere ??
      (await this.#layers.run(
        name,
        (shared, emit) =>
          store.withPartial(async (directory) => {
            const come = await store.layer(name);
            if (come !== null) {
              await client.requireBlob(layer.digest, shared);
              return come;
            }
            await store.requireRoom(layer.sizeBytes);
            const path = join(directory, 'blob');
            const onBytes = (bytes: number): void => emit({ phase: 'downloading', bytes });
            await downloadBlob(client, { ...layer, path, signal: shared, onBytes });
            emit({ phase: 'extracting', bytes: 0 });
            return await store.addLayer(name, (made, roomBytes) =>
              unpackLayer(path, made, layer, { maxBytes, roomBytes, signal: shared }),
            );
          }),
        { signal, onEvent: ({ phase, bytes }) => progress.step(layer.digest, phase, bytes) },
      ));
    progress.finish(layer.digest);
    return found;
  }
}

interface Bringing {
  readonly image: string;
  readonly reference: ImageReference;
  readonly resolved: ResolvedImage;
  readonly client: RegistryClient;
  readonly progress: PullProgress;
}

interface LayerStep {
  readonly phase: 'downloading' | 'extracting';
  readonly bytes: number;
}

function bytesOf({ layers }: ResolvedImage) {
  const totalBytes = layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return { doneBytes: totalBytes, totalBytes };
}
