import {
  type Engine,
  type EngineReport,
  type EngineSandbox,
  type EngineSandboxSpec,
  type EngineSnapshots,
  SandgateError,
} from '@sandgate/core';
import Docker from 'dockerode';
import { canonicalImage } from '../canonical-image.ts';
import { requireValidSpec } from '../require-valid-spec.ts';
import { ContainerAgent } from './container-agent.ts';
import { ContainerEvents } from './container-events.ts';
import {
  containerRequest,
  imageLabel,
  instanceLabel,
  resourceLimits,
  sandboxLabel,
  snapshotLabel,
} from './container-request.ts';
import { dockerStatus, explainDocker } from './docker-failure.ts';
import { DockerImages } from './docker-images.ts';
import type { DockerEngineOptions, DockerImage } from './docker-options.ts';
import { DockerSandbox } from './docker-sandbox.ts';
import { guestArchive } from './guest-archive.ts';
import { type ProbedDocker, probeDocker } from './probe-docker.ts';

/**
 * Sandboxes as containers of a Docker daemon, each without network and capabilities. A sandbox that is
 * stopped stays as a stopped container: its writable layer is the sandbox's. Containers carry labels
 * with which `reconcile` finds those of this server.
 */
export function createDockerEngine(options: DockerEngineOptions): Engine {
  return new DockerEngine(options);
}

class DockerEngine implements Engine {
  readonly snapshots: EngineSnapshots;
  readonly images?: DockerImages;
  readonly #options: DockerEngineOptions;
  readonly #docker: Docker;
  readonly #events: ContainerEvents;
  readonly #sandboxes = new Map<string, Promise<DockerSandbox>>();
  #probed: Promise<ProbedDocker> | null = null;
  #closed = false;

  constructor(options: DockerEngineOptions) {
    this.#options = options;
    this.#docker = new Docker({ socketPath: options.socketPath });
    this.#events = new ContainerEvents(this.#docker, this.#ownLabel());
    const { pulls } = options;
    if (pulls !== undefined) this.images = new DockerImages(this.#docker, options, pulls);
    this.snapshots = {
      remove: (snapshotId) => this.#removeSnapshot(snapshotId),
      sizes: () => this.#snapshotSizes(),
    };
  }

  async probe(): Promise<EngineReport> {
    const { usable, images, runtime, findings } = await this.#probe();
    return {
      engine: runtime === null ? 'docker' : `docker (${runtime})`,
      usable,
      capabilities: {
        seccomp: true,
        memoryLimit: 'cgroup',
        cpuLimit: 'cgroup',
        processLimit: 'cgroup',
        persistentLayer: true,
        terminals: images.some(({ terminal }) => terminal !== null),
        pause: 'freezer',
        snapshots: true,
        volumes: 'none',
        egress: false,
        dial: false,
      },
      templates: images.map(({ name, languages, description }) => ({
        name,
        languages,
        description,
      })),
      findings,
    };
  }

  async start(spec: EngineSandboxSpec): Promise<EngineSandbox> {
    requireValidSpec(spec);
    requireNoNetwork(spec);
    const { usable, images, runtime } = await this.#probe();
    if (!usable) {
      throw new SandgateError(
        'engine_unavailable',
        'Docker cannot start sandboxes; `msb doctor` says why.',
      );
    }
    const image = await this.#image(spec, images, runtime);
    if (this.#closed || this.#sandboxes.has(spec.id)) {
      throw new SandgateError(
        'sandbox_busy',
        'The sandbox runs already, or the server is closing.',
      );
    }
    const starting = this.#start(spec, image, runtime);
    this.#sandboxes.set(spec.id, starting);
    const forget = (): void => void this.#sandboxes.delete(spec.id);
    starting.then((sandbox) => sandbox.exited.then(forget), forget);
    return await starting;
  }

  async removeLayer(id: string): Promise<void> {
    if (this.#sandboxes.has(id)) {
      throw new SandgateError('sandbox_busy', 'The sandbox is running; stop it first.');
    }
    await this.#ignoreMissing(this.#container(id).remove({ force: true, v: true }));
  }

  async layerSizes(): Promise<ReadonlyMap<string, number>> {
    const containers = await this.#list({ size: true });
    return new Map(
      containers.flatMap(({ Labels, SizeRw }) => {
        const id = Labels[sandboxLabel];
        return id === undefined ? [] : [[id, SizeRw ?? 0] as const];
      }),
    );
  }

  async reconcile(): Promise<void> {
    if (!(await this.#probe()).usable) return;
    for (const { Id, Labels, State } of await this.#list({})) {
      const id = Labels[sandboxLabel];
      const container = this.#docker.getContainer(Id);
      if (id === undefined || State === 'created') {
        if (id === undefined || !this.#sandboxes.has(id)) {
          await this.#ignoreMissing(container.remove({ force: true, v: true }));
        }
      } else if (!this.#sandboxes.has(id) && State !== 'exited' && State !== 'dead') {
        await this.#ignoreMissing(container.kill({ signal: 'SIGKILL' }));
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const running = await Promise.allSettled(this.#sandboxes.values());
    await Promise.allSettled(
      running.map((each) => (each.status === 'fulfilled' ? each.value.stop() : undefined)),
    );
    this.#events.close();
  }

  async #image(
    { image, pulledImage }: EngineSandboxSpec,
    images: readonly DockerImage[],
    runtime: string | null,
  ): Promise<DockerImage> {
    if (pulledImage === undefined) return findImage(image, images);
    if (this.images !== undefined) return await this.images.open(pulledImage, runtime);
    throw new SandgateError('image_unknown', `The image ${pulledImage} is not here.`);
  }

  #probe(): Promise<ProbedDocker> {
    this.#probed ??= probeDocker(this.#docker, this.#options);
    return this.#probed;
  }

  async #start(
    spec: EngineSandboxSpec,
    image: DockerImage,
    runtime: string | null,
  ): Promise<DockerSandbox> {
    let agent: ContainerAgent | null = null;
    let attached: string | null = null;
    try {
      await this.#events.open();
      const container = await this.#prepare(spec, image, runtime);
      const archive = await guestArchive(spec, this.#options.guestDirectory);
      await container.putArchive(archive, { path: '/' });
      agent = await ContainerAgent.attach(container);
      attached = container.id;
      const sandbox = new DockerSandbox({
        spec,
        languages: image.languages,
        terminal: image.terminal,
        container,
        events: this.#events,
        agent,
        commit: (snapshotId) => this.#commit(container, snapshotId),
      });
      await container.start();
      return sandbox;
    } catch (error) {
      // The container stays: it may be the files of an earlier run.
      agent?.close();
      if (attached !== null) this.#events.forget(attached);
      throw explainDocker(error);
    }
  }

  /** The container of an earlier run, or a new one. */
  async #prepare(
    spec: EngineSandboxSpec,
    image: DockerImage,
    runtime: string | null,
  ): Promise<Docker.Container> {
    const known = this.#container(spec.id);
    const found = await known.inspect().catch((error: unknown) => {
      if (dockerStatus(error) === 404) return null;
      throw error;
    });
    if (found === null) {
      const { fromSnapshot } = spec;
      if (fromSnapshot !== undefined && !(await this.#hasSnapshot(fromSnapshot))) {
        throw new SandgateError('snapshot_not_found', 'There are no files of that snapshot.');
      }
      const from = fromSnapshot === undefined ? image.image : this.#snapshotName(fromSnapshot);
      return await this.#docker.createContainer(
        containerRequest(spec, {
          name: this.#containerName(spec.id),
          instance: this.#options.instance,
          image: from,
          imageId: image.imageId,
          runtime,
        }),
      );
    }
    if (found.Config.Labels[imageLabel] !== image.imageId) {
      throw new SandgateError(
        'invalid_request',
        `The files of this sandbox belong to another image than ${spec.image}. Destroy it, and start it anew`,
      );
    }
    const container = this.#docker.getContainer(found.Id);
    await container.update(resourceLimits(spec.resources));
    return container;
  }

  async #commit(
    container: Docker.Container,
    snapshotId: string,
  ): Promise<{ readonly sizeBytes: number }> {
    try {
      if (await this.#hasSnapshot(snapshotId)) {
        throw new SandgateError('snapshot_exists', 'There is a snapshot of that id already.');
      }
      const [repo, tag] = this.#snapshotName(snapshotId).split(':');
      await container.commit({
        repo,
        tag,
        pause: true,
        changes: `LABEL ${this.#ownLabel()} ${snapshotLabel}=${snapshotId}`,
      });
      return { sizeBytes: (await this.#snapshotSizes()).get(snapshotId) ?? 0 };
    } catch (error) {
      throw explainDocker(error);
    }
  }

  async #hasSnapshot(snapshotId: string): Promise<boolean> {
    try {
      await this.#docker.getImage(this.#snapshotName(snapshotId)).inspect();
      return true;
    } catch (error) {
      if (dockerStatus(error) === 404) return false;
      throw error;
    }
  }

  async #removeSnapshot(snapshotId: string): Promise<void> {
    const image = this.#docker.getImage(this.#snapshotName(snapshotId));
    await this.#ignoreMissing(image.remove({ force: true }));
  }

  /** Of each the topmost layer, which is the sandbox's own. */
  async #snapshotSizes(): Promise<ReadonlyMap<string, number>> {
    try {
      const images = await this.#docker.listImages({ filters: { label: [this.#ownLabel()] } });
      const sizes = images.map(async ({ Id, Labels }) => {
        const history = (await this.#docker.getImage(Id).history()) as readonly { Size: number }[];
        return [Labels[snapshotLabel] ?? '', history[0]?.Size ?? 0] as const;
      });
      return new Map((await Promise.all(sizes)).filter(([id]) => id !== ''));
    } catch (error) {
      throw explainDocker(error);
    }
  }

  async #list(options: {
    readonly size?: boolean;
  }): Promise<readonly (Docker.ContainerInfo & { SizeRw?: number })[]> {
    try {
      return await this.#docker.listContainers({
        all: true,
        filters: { label: [this.#ownLabel()] },
        ...options,
      });
    } catch (error) {
      throw explainDocker(error);
    }
  }

  async #ignoreMissing(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (![404, 409].includes(dockerStatus(error) ?? 0)) throw explainDocker(error);
    }
  }

  #container(id: string): Docker.Container {
    return this.#docker.getContainer(this.#containerName(id));
  }

  #containerName = (id: string): string => `sandgate-${this.#options.instance}-${id}`;
  #snapshotName = (id: string): string => `sandgate-${this.#options.instance}:${id}`;
  #ownLabel = (): string => `${instanceLabel}=${this.#options.instance}`;
}

function requireNoNetwork(spec: EngineSandboxSpec): void {
  if (spec.egress !== undefined && spec.egress.mode !== 'deny_all') {
    throw new SandgateError(
      'capability_missing',
      'Sandboxes of the Docker engine have no network. Leave egress out, or use a template of the namespace engine',
    );
  }
  if ((spec.volumes ?? []).length > 0) {
    throw new SandgateError(
      'capability_missing',
      'Sandboxes of the Docker engine have no volumes. Use a template of the namespace engine',
    );
  }
}

/** @throws SandgateError `image_unknown` with the names of those that there are */
function findImage(name: string, images: readonly DockerImage[]): DockerImage {
  const wanted = canonicalImage(name);
  const image = images.find((each) => each.name === name || each.name === wanted);
  if (image !== undefined) return image;
  const known = images.map((each) => each.name).join(', ');
  throw new SandgateError(
    'image_unknown',
    `There is no image ${JSON.stringify(name)} on this server. Images here: ${known || 'none'}.`,
  );
}
