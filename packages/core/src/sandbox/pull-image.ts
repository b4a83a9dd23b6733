import { SandgateError } from '../error/sandgate-error.ts';
import type { ImagePull, ImagePullProgress, PulledImage } from '../port/image-puller.ts';
import { registryNamedBy } from '../registry/registry-server.ts';
import { openCredentials, requireRegistry } from '../registry/use-registries.ts';
import type { Sandbox } from './sandbox.ts';
import type { RegistryImage, SandboxDefinition } from './sandbox-definition.ts';
import type { SandboxParts } from './sandbox-parts.ts';

/** Brings the images of sandboxes that are about to start, and shows at each start that they still may. */
export class ImagePulls {
  readonly #parts: SandboxParts;
  readonly #going = new Map<string, AbortController>();

  constructor(parts: SandboxParts) {
    this.#parts = parts;
  }

  /**
   * Null for a sandbox of one of the engine's own images. How far it is stands in the sandbox's log.
   * @throws SandgateError as `ImagePuller.pull` does, `capability_missing`, `image_unknown`,
   * `request_abandoned`
   */
  async pull(sandbox: Sandbox, signal: AbortSignal | undefined): Promise<PulledImage | null> {
    const { registryImage } = sandbox.definition;
    if (registryImage === undefined) return null;
    const given = new AbortController();
    this.#going.set(sandbox.id, given);
    try {
      const either = signal === undefined ? given.signal : AbortSignal.any([given.signal, signal]);
      return await this.bring(sandbox.workspaceId, registryImage, {
        signal: either,
        onProgress: this.#teller(sandbox.id, registryImage.reference),
      });
    } catch (error) {
      if (error instanceof SandgateError || signal?.aborted !== true) throw error;
      throw new SandgateError(
        'request_abandoned',
        'The client went away before the image was here',
      );
    } finally {
      this.#going.delete(sandbox.id);
    }
  }

  isGoing(sandboxId: string): boolean {
    return this.#going.has(sandboxId);
  }

  /** The sandbox is to end: nothing is brought for it any more. */
  abandon(sandboxId: string): void {
    this.#going
      .get(sandboxId)
      ?.abort(
        new SandgateError('request_abandoned', 'The sandbox was ended before its image was here'),
      );
  }

  close(): void {
    for (const id of this.#going.keys()) this.abandon(id);
  }

  /** For a workspace, whether or not a sandbox is to start from it. @throws SandgateError as `pull` does */
  async bring(
    workspaceId: string,
    { reference, registryId, pinned }: RegistryImage,
    { signal, onProgress }: Pick<ImagePull, 'signal' | 'onProgress'>,
  ): Promise<PulledImage> {
    const { storage, sealer, engine } = this.#parts;
    const { images } = engine;
    if (images === undefined) {
      throw new SandgateError(
        'capability_missing',
        'This server pulls no images. Run msb doctor to see what is missing',
      );
    }
    const registry =
      registryId === null ? null : await requireRegistry(storage, workspaceId, registryId);
    // Its password is for no other server.
    if (registry !== null && registryNamedBy(reference) !== registry.server) {
      throw new SandgateError(
        'image_unknown',
        `The registry "${registry.name}" is at ${registry.server} by now, and has no ${reference}`,
      );
    }
    try {
      return await images.pull({
        reference: pinned ?? reference,
        credentials: registry === null ? null : openCredentials(sealer, registry),
        allowHttp: registry?.allowHttp ?? false,
        workspaceId,
        ...(signal === undefined ? {} : { signal }),
        ...(onProgress === undefined ? {} : { onProgress }),
      });
    } catch (error) {
      const gone = error instanceof SandgateError && error.code === 'registry_unreachable';
      // What this sandbox has run from was shown to be its workspace's then.
      const last = gone && pinned !== null ? await images.find(pinned) : null;
      if (last === null) throw error;
      return last;
    }
  }

  #teller(sandboxId: string, reference: string): (progress: ImagePullProgress) => void {
    const { logs, onBackgroundError } = this.#parts;
    let last = '';
    return ({ phase, doneBytes, totalBytes }) => {
      const tenths = totalBytes ? Math.floor((10 * doneBytes) / totalBytes) : 0;
      const line =
        phase === 'downloading'
          ? `${reference}: ${tenths * 10} % of ${Math.ceil((totalBytes ?? 0) / 1_048_576)} MiB\n`
          : `${reference}: ${phase}\n`;
      if (line === last) return;
      last = line;
      logs
        .append(sandboxId, Buffer.from(line))
        .catch((error: unknown) => onBackgroundError(error, { id: sandboxId, workspaceId: '' }));
    };
  }
}

/** Its files belong to the image that it began with, whatever the reference means later. */
export const pinnedTo = (
  pulled: PulledImage | null,
  definition: SandboxDefinition,
): SandboxDefinition =>
  pulled === null || definition.registryImage === undefined
    ? definition
    : { ...definition, registryImage: { ...definition.registryImage, pinned: pulled.image } };
