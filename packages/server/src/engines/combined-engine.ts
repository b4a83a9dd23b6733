import {
  type Engine,
  type EngineObserver,
  type EngineReport,
  type EngineSandbox,
  type EngineSandboxSpec,
  type EngineSnapshots,
  type ImagePuller,
  SandgateError,
} from '@sandgate/core';
import { canonicalImage } from './canonical-image.ts';

/**
 * Several engines as one. A sandbox belongs to the engine that has its image; of two that have one of
 * that name, to the one that comes first.
 */
export function combineEngines(engines: readonly [Engine, ...Engine[]]): Engine {
  return engines.length === 1 ? engines[0] : new CombinedEngine(engines);
}

class CombinedEngine implements Engine {
  readonly snapshots: EngineSnapshots;
  readonly volumes?: NonNullable<Engine['volumes']>;
  readonly images?: ImagePuller;
  readonly #engines: readonly Engine[];

  constructor(engines: readonly Engine[]) {
    this.#engines = engines;
    const stores = engines.flatMap(({ snapshots }) => snapshots ?? []);
    this.snapshots = {
      remove: (snapshotId) => forAll(stores, (store) => store.remove(snapshotId)),
      sizes: () => mergeMaps(stores, (store) => store.sizes()),
    };
    const volumes = engines.find((engine) => engine.volumes !== undefined)?.volumes;
    if (volumes !== undefined) this.volumes = volumes;
    const pullers = engines.flatMap((engine) => {
      const { images } = engine;
      return images === undefined ? [] : [{ engine, images }];
    });
    if (pullers.length > 0) this.images = combinePullers(pullers);
  }

  async probe(): Promise<EngineReport> {
    const reports = await Promise.all(this.#engines.map((engine) => engine.probe()));
    const usable = reports.filter((report) => report.usable);
    const names = new Set<string>();
    const templates = usable
      .flatMap(({ engine, templates: own }) => own.map((template) => ({ ...template, engine })))
      .filter(({ name }) => !names.has(name) && names.add(name));
    // What the last one can do holds for every sandbox that no other engine is named for.
    const main = usable.at(-1) ?? (reports.at(-1) as EngineReport);
    return {
      engine: (usable.length > 0 ? usable : reports).map(({ engine }) => engine).join(' + '),
      usable: usable.length > 0,
      capabilities: main.capabilities,
      templates,
      findings: reports.flatMap((report) => report.findings),
    };
  }

  async start(spec: EngineSandboxSpec, observer?: EngineObserver): Promise<EngineSandbox> {
    const { pulledImage } = spec;
    if (pulledImage !== undefined) {
      for (const engine of this.#engines) {
        const found = await engine.images?.find(pulledImage);
        if (found != null) return await engine.start(spec, observer);
      }
      throw new SandgateError(
        'image_unknown',
        `The image ${pulledImage} is not here. Pull it again`,
      );
    }
    const wanted = [spec.image, canonicalImage(spec.image)];
    const known: string[] = [];
    for (const engine of this.#engines) {
      const { usable, templates } = await engine.probe();
      if (!usable) continue;
      if (templates.some(({ name }) => wanted.includes(name))) {
        return await engine.start(spec, observer);
      }
      known.push(...templates.map(({ name }) => name));
    }
    if (known.length === 0) {
      throw new SandgateError(
        'engine_unavailable',
        'This machine cannot start sandboxes; `msb doctor` says why.',
      );
    }
    throw new SandgateError(
      'image_unknown',
      `There is no image ${JSON.stringify(spec.image)} on this server. Images here: ${known.join(', ')}.`,
    );
  }

  removeLayer(id: string): Promise<void> {
    return forAll(this.#engines, (engine) => engine.removeLayer(id));
  }

  layerSizes(): Promise<ReadonlyMap<string, number>> {
    return mergeMaps(this.#engines, (engine) => engine.layerSizes());
  }

  reconcile(): Promise<void> {
    return forAll(this.#engines, (engine) => engine.reconcile());
  }

  close(): Promise<void> {
    return forAll(this.#engines, (engine) => engine.close());
  }
}

/** The first engine that can start sandboxes pulls; each knows what it has pulled. */
function combinePullers(
  pullers: readonly { readonly engine: Engine; readonly images: ImagePuller }[],
): ImagePuller {
  return {
    async pull(request) {
      for (const { engine, images } of pullers) {
        if ((await engine.probe()).usable) return await images.pull(request);
      }
      throw new SandgateError(
        'engine_unavailable',
        'This machine cannot start sandboxes; `msb doctor` says why.',
      );
    },
    async find(image) {
      for (const { images } of pullers) {
        const found = await images.find(image);
        if (found !== null) return found;
      }
      return null;
    },
    async list() {
      return (await Promise.all(pullers.map(({ images }) => images.list()))).flat();
    },
    async removeOthers(kept) {
      const removed = await Promise.all(pullers.map(({ images }) => images.removeOthers(kept)));
      return { freedBytes: removed.reduce((sum, { freedBytes }) => sum + freedBytes, 0) };
    },
  };
}

/** All of them are asked, also when one fails. */
async function forAll<Part>(
  parts: readonly Part[],
  work: (part: Part) => Promise<void>,
): Promise<void> {
  const results = await Promise.allSettled(parts.map(work));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function mergeMaps<Part>(
  parts: readonly Part[],
  read: (part: Part) => Promise<ReadonlyMap<string, number>>,
): Promise<ReadonlyMap<string, number>> {
  const maps = await Promise.all(parts.map(read));
  return new Map(maps.flatMap((map) => [...map]));
}
