import { type EngineSandboxSpec, type ImagePuller, SandgateError } from '@sandgate/core';
import type { LaunchContext } from '../launch-sandbox.ts';
import type { Template } from '../template/template.ts';
import type { HeldImage, ImageSource } from './image-source.ts';
import { imageSteps } from './image-steps.ts';
import { type ImagePrograms, imageSearchPath, lookIntoImage } from './look-into-image.ts';
import { readTextInImage } from './paths-in-image.ts';
import { requireBubblewrap, requireStartable } from './require-startable.ts';

/** What a sandbox is started with, of a template of the host or of an image. */
export interface StartSource {
  readonly context: LaunchContext;
  readonly spec: EngineSandboxSpec;
  readonly template: Template;
  /** What the image's own `passwd` and `group` say. */
  readonly accounts: { readonly passwd: string; readonly group: string };
  /** The working directory is made by the sandbox itself: in an image, it may be behind a link. */
  readonly makesWorkdir: boolean;
  /** To be called when the sandbox is gone. Idempotent. */
  release(): void;
}

/** Images as templates of sandboxes. Each is looked into once. */
export class ImageTemplates {
  readonly #source: ImageSource;
  readonly #known = new Map<string, Promise<ImagePrograms>>();

  constructor(source: ImageSource) {
    this.#source = source;
  }

  /** The source's puller, for an engine that can start what it brings. */
  puller(requireUsable: () => Promise<LaunchContext>): ImagePuller {
    const source = this.#source;
    return {
      async pull(request) {
        requireBubblewrap(await requireUsable());
        return await source.pull(request);
      },
      find: (image) => source.find(image),
      list: () => source.list(),
      removeOthers: (kept) => source.removeOthers(kept),
    };
  }

  /** @throws SandgateError `image_unknown`, `image_invalid`, `engine_unavailable`, `volume_refused` */
  async open(context: LaunchContext, spec: EngineSandboxSpec, image: string): Promise<StartSource> {
    if (spec.mounts.length > 0) {
      // Whether a host directory is what was allowed is asked of programs inside, which are the image's here.
      throw new SandgateError(
        'volume_refused',
        "Host directories can be mounted in sandboxes of the operator's templates, and not of other images",
      );
    }
    const held = await this.#source.hold(image);
    if (held === null) {
      throw new SandgateError('image_unknown', `The image ${image} is not here. Pull it again`);
    }
    try {
      requireStartable(context, held);
      const programs = await this.#look(context, held);
      return startSource(context, spec, held, programs);
    } catch (error) {
      held.release();
      throw error;
    }
  }

  #look(context: LaunchContext, held: HeldImage): Promise<ImagePrograms> {
    const { directory } = held;
    const known = this.#known.get(directory) ?? lookIntoImage(context, held);
    this.#known.set(directory, known);
    known.catch(() => this.#known.delete(directory));
    return known;
  }
}

/** Of an image that is held by whoever calls, until it is released here. */
export function startSource(
  context: LaunchContext,
  spec: EngineSandboxSpec,
  held: HeldImage,
  { tools, languages, terminal }: ImagePrograms,
): StartSource {
  const { directory, image } = held;
  const mountPoints = [...spec.mounts, ...(spec.volumes ?? [])].map(({ guestPath }) => guestPath);
  const systemSteps = imageSteps(directory, { opened: [spec.workdir], mountPoints });
  return {
    context: { ...context, tools, terminal, kernelsCompiled: false, systemSteps },
    spec: {
      ...spec,
      environment: { ...image.config.env, PATH: imageSearchPath(held), ...spec.environment },
    },
    template: { name: image.image, languages, description: image.image, steps: [] },
    accounts: {
      passwd: readTextInImage(directory, '/etc/passwd'),
      group: readTextInImage(directory, '/etc/group'),
    },
    makesWorkdir: true,
    release: () => held.release(),
  };
}
