import { createHash } from 'node:crypto';
import { type ImagePull, type ImagePuller, type PulledImage, SandgateError } from '@sandgate/core';
import type Docker from 'dockerode';
import { dockerStatus, explainDocker } from './docker-failure.ts';
import type { DockerEngineOptions, DockerImage, DockerPulls } from './docker-options.ts';
import { type Looked, lookInto } from './probe-docker.ts';
import { DockerPullProgress, readPullEvents } from './pull-events.ts';
import { explainPull, PullRefused } from './pull-failure.ts';

/**
 * Images that the daemon pulls. Each gets a name of this server's beside its own, by which it is known which ones
 * the daemon has for its sake.
 */
export class DockerImages implements ImagePuller {
  readonly #docker: Docker;
  readonly #options: DockerEngineOptions;
  readonly #pulls: DockerPulls;
  /** By image id and runtime. */
  readonly #looked = new Map<string, Promise<Looked>>();

  constructor(docker: Docker, options: DockerEngineOptions, pulls: DockerPulls) {
    this.#docker = docker;
    this.#options = options;
    this.#pulls = pulls;
  }

  async pull(request: ImagePull): Promise<PulledImage> {
    const { onProgress, signal, allowHttp = false } = request;
    onProgress?.({ phase: 'resolving', layer: null, doneBytes: 0, totalBytes: null });
    const { registry, repository, version } = await this.#pulls.readReference(
      request.reference,
      allowHttp,
    );
    try {
      signal?.throwIfAborted();
      const { digest, totalBytes } = await this.#transfer(request, {
        fromImage: `${registry}/${repository}`,
        tag: version,
        registry,
      });
      const image = `${registry}/${repository}@${digest}`;
      await this.#docker.getImage(image).tag({ repo: this.#ownRepository(), tag: tagOf(image) });
      const pulled = await this.find(image);
      if (pulled === null) throw new PullRefused('the image does not exist any more');
      onProgress?.({ phase: 'ready', layer: null, doneBytes: totalBytes, totalBytes });
      return pulled;
    } catch (error) {
      throw explainPull(error, signal);
    }
  }

  /** Lets the daemon pull, and resolves with what it says that the reference means. */
  async #transfer(
    { credentials, platform, signal, onProgress }: ImagePull,
    source: { readonly fromImage: string; readonly tag: string; readonly registry: string },
  ): Promise<{ readonly digest: string; readonly totalBytes: number }> {
    const { fromImage, tag, registry } = source;
    const auth = credentials === null ? {} : { ...credentials, serveraddress: registry };
    const stream = (await this.#docker.createImage(auth, {
      fromImage,
      tag,
      ...(platform === undefined ? {} : { platform: platformText(platform) }),
      ...(signal === undefined ? {} : { abortSignal: signal }),
    })) as NodeJS.ReadableStream & { destroy(): void };
    const progress = new DockerPullProgress();
    let digest: string | null = null;
    try {
      for await (const event of readPullEvents(stream as AsyncIterable<Buffer>)) {
        if (event.error !== undefined) throw new PullRefused(event.error);
        digest = /^Digest: (sha256:[0-9a-f]{64})$/.exec(event.status ?? '')?.[1] ?? digest;
        const told = progress.add(event);
        if (told !== null) onProgress?.(told);
        if (progress.totalBytes > this.#pulls.maxBytes) throw tooLarge(this.#pulls.maxBytes);
      }
    } finally {
      // The daemon gives up what nobody waits for.
      stream.destroy();
    }
    if (digest === null) throw new PullRefused('the daemon does not say what it has pulled');
    return { digest, totalBytes: progress.totalBytes };
  }

  async find(image: string): Promise<PulledImage | null> {
    const found = await this.#inspect(image);
    return found === null ? null : toPulledImage(image, found);
  }

  async list(): Promise<readonly PulledImage[]> {
    const found = await Promise.all(
      (await this.#own()).flatMap((names) => names.map((image) => this.find(image))),
    );
    return found.flatMap((image) => image ?? []);
  }

  async removeOthers(kept: ReadonlySet<string>): Promise<{ readonly freedBytes: number }> {
    const templates = new Set(
      await Promise.all(
        this.#options.templates.map(async ({ image }) => (await this.#inspectName(image))?.Id),
      ),
    );
    let freedBytes = 0;
    for (const image of (await this.#own()).flat()) {
      const found = kept.has(image) ? null : await this.#inspect(image);
      if (found === null) continue;
      const [repository = ''] = image.split('@');
      const others = [...(found.RepoTags ?? []), ...(found.RepoDigests ?? [])].filter((name) =>
        isOf(name, repository),
      );
      const own = `${this.#ownRepository()}:${tagOf(image)}`;
      // What the operator has put there for a template is none of what was pulled here.
      const names = templates.has(found.Id) ? [own] : [...others, own];
      for (const name of names) await this.#untag(name);
      if ((await this.#inspectName(found.Id)) === null) freedBytes += found.Size;
    }
    return { freedBytes };
  }

  /**
   * What sandboxes are started from, looked into once.
   * @throws SandgateError `image_unknown`, `image_invalid`
   */
  async open(image: string, runtime: string | null): Promise<DockerImage> {
    const found = await this.#inspect(image);
    if (found === null) {
      throw new SandgateError('image_unknown', `The image ${image} is not here. Pull it again`);
    }
    const key = `${found.Id} ${runtime}`;
    const template = { name: image, image: found.Id, description: image };
    const looking =
      this.#looked.get(key) ?? lookInto(this.#docker, this.#options, template, runtime);
    this.#looked.set(key, looking);
    const looked = await looking;
    if (!('finding' in looked)) return { ...looked, name: image };
    this.#looked.delete(key);
    throw new SandgateError('image_invalid', `The image cannot be used: ${looked.finding.message}`);
  }

  /** Names of the images that were pulled here: more than one for an image that several repositories have. */
  async #own(): Promise<readonly string[][]> {
    try {
      const repository = this.#ownRepository();
      const images = await this.#docker.listImages({ filters: { reference: [repository] } });
      // The list holds no other names than those that it was asked for.
      const found = images.map(async ({ Id, RepoTags }) => {
        const tags = new Set((RepoTags ?? []).map((name) => name.split(':').at(-1)));
        const { RepoDigests } = (await this.#inspectName(Id)) ?? {};
        return (RepoDigests ?? []).map(fullName).filter((name) => tags.has(tagOf(name)));
      });
      return await Promise.all(found);
    } catch (error) {
      throw explainDocker(error);
    }
  }

  #inspect(image: string): Promise<Docker.ImageInspectInfo | null> {
    return this.#inspectName(`${this.#ownRepository()}:${tagOf(image)}`);
  }

  async #inspectName(name: string): Promise<Docker.ImageInspectInfo | null> {
    try {
      return await this.#docker.getImage(name).inspect();
    } catch (error) {
      if (dockerStatus(error) === 404) return null;
      throw explainDocker(error);
    }
  }

  /** What a container uses stays. */
  async #untag(name: string): Promise<void> {
    try {
      await this.#docker.getImage(name).remove();
    } catch (error) {
      if (![404, 409].includes(dockerStatus(error) ?? 0)) throw explainDocker(error);
    }
  }

  #ownRepository = (): string => `sandgate-${this.#options.instance}-images`;
}

const tagOf = (image: string): string =>
  createHash('sha256').update(image).digest('hex').slice(0, 32);

/** Docker leaves its own registry out of names. */
function fullName(name: string): string {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  if (/[.:]/.test(first) || first === 'localhost') return name;
  return slash < 0 ? `docker.io/library/${name}` : `docker.io/${name}`;
}

const isOf = (name: string, repository: string): boolean =>
  [`${repository}:`, `${repository}@`].some((start) => fullName(name).startsWith(start));

const platformText = ({ os, architecture, variant }: NonNullable<ImagePull['platform']>): string =>
  [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');

function toPulledImage(image: string, found: Docker.ImageInspectInfo): PulledImage {
  const { Config, RootFS, Size } = found;
  const { Env, Entrypoint, Cmd, WorkingDir, User, ExposedPorts } = Config;
  const pairs = (Env ?? []).map((line) => {
    const at = line.indexOf('=');
    return [line.slice(0, at), line.slice(at + 1)] as const;
  });
  return {
    image,
    digest: image.slice(image.indexOf('@') + 1),
    layers: RootFS?.Layers ?? [],
    config: {
      env: Object.fromEntries(pairs),
      entrypoint: [Entrypoint ?? []].flat(),
      cmd: Cmd ?? [],
      workdir: WorkingDir?.startsWith('/') === true ? WorkingDir : null,
      user: User === '' ? null : (User ?? null),
      exposedPorts: Object.keys(ExposedPorts ?? {}),
    },
    sizeBytes: Size,
  };
}

const tooLarge = (maxBytes: number): SandgateError =>
  new SandgateError(
    'image_too_large',
    `The image is larger than ${Math.floor(maxBytes / 1_048_576)} MiB, the most that this server takes`,
  );
