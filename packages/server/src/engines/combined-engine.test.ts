import type { ImagePuller, PulledImage } from '@sandgate/core';
import { expect, it } from 'vitest';
import { ScriptedEngine } from '../../../../tests/support/scripted-engine.ts';
import { combineEngines } from './combined-engine.ts';

class NamedEngine extends ScriptedEngine {
  readonly #images: readonly string[];
  readonly #usable: boolean;

  constructor(images: readonly string[], usable = true) {
    super();
    this.#images = images;
    this.#usable = usable;
  }

  override async probe() {
    const templates = this.#images.map((name) => ({ name, languages: [], description: name }));
    return { ...(await super.probe()), usable: this.#usable, templates };
  }
}

const spec = (image: string) => ({
  id: 'a'.repeat(24),
  hostname: 'one',
  image,
  resources: { memoryMib: 64, cpus: 1, diskMib: 16, maxProcesses: 8 },
  environment: {},
  workdir: '/workspace',
  mounts: [],
  scripts: {},
});

it('starts a sandbox in the first engine that has its image', async () => {
  const first = new NamedEngine(['debian', 'microsandbox/python']);
  const second = new NamedEngine(['microsandbox/python', 'microsandbox/node']);
  const both = combineEngines([first, second]);
  for (const image of ['debian', 'python', 'microsandbox/node']) await both.start(spec(image));
  expect(first.started.map(({ image }) => image)).toEqual(['debian', 'python']);
  expect(second.started.map(({ image }) => image)).toEqual(['microsandbox/node']);
  const { templates } = await both.probe();
  expect(templates.map(({ name }) => name)).toEqual([
    'debian',
    'microsandbox/python',
    'microsandbox/node',
  ]);
});

it('passes over an engine that cannot start anything, and names the images of the others', async () => {
  const broken = new NamedEngine(['debian'], false);
  const whole = new NamedEngine(['microsandbox/node']);
  const both = combineEngines([broken, whole]);
  expect((await both.probe()).usable).toBe(true);
  await expect(both.start(spec('debian'))).rejects.toMatchObject({
    code: 'image_unknown',
    message: expect.stringContaining('microsandbox/node'),
  });
  const none = combineEngines([broken, new NamedEngine([], false)]);
  await expect(none.start(spec('debian'))).rejects.toMatchObject({ code: 'engine_unavailable' });
});

it('removes layers and closes everywhere, also when one engine fails', async () => {
  const failing = new NamedEngine([]);
  failing.removeLayer = () => Promise.reject(new Error('no'));
  const other = new NamedEngine([]);
  other.layers.set('b', 7);
  const both = combineEngines([failing, other]);
  expect(await both.layerSizes()).toEqual(new Map([['b', 7]]));
  await expect(both.removeLayer('b')).rejects.toThrow('no');
  expect(other.layers.size).toBe(0);
});

class PullingEngine extends NamedEngine {
  readonly pulled = new Map<string, PulledImage>();
  override readonly images: ImagePuller = {
    pull: async ({ reference }) => {
      const config = { env: {}, entrypoint: [], cmd: [], workdir: null, user: null };
      const image = `${reference}@here`;
      const found = { image, digest: '', layers: [], sizeBytes: 1 };
      this.pulled.set(image, { ...found, config: { ...config, exposedPorts: [] } });
      return this.pulled.get(image) as PulledImage;
    },
    find: async (image) => this.pulled.get(image) ?? null,
    list: async () => [...this.pulled.values()],
    removeOthers: async () => ({ freedBytes: this.pulled.size }),
  };
}

it('pulls by the first engine that can start anything, and starts where the image is', async () => {
  const broken = new PullingEngine([], false);
  const first = new PullingEngine([]);
  const second = new PullingEngine(['debian']);
  const all = combineEngines([new NamedEngine([]), broken, first, second]);
  const pull = (reference: string) => all.images?.pull({ reference, credentials: null });
  const image = (await pull('app'))?.image ?? '';
  const { image: other } = await second.images.pull({ reference: 'other', credentials: null });
  expect(await all.images?.find(other)).toMatchObject({ image: other });
  expect((await all.images?.list())?.map((each) => each.image)).toEqual([image, other]);
  expect(await all.images?.removeOthers(new Set())).toEqual({ freedBytes: 2 });
  await all.start({ ...spec('app'), pulledImage: image });
  await all.start({ ...spec('debian'), pulledImage: other });
  expect(first.started.map(({ pulledImage }) => pulledImage)).toEqual([image]);
  expect(second.started.map(({ pulledImage }) => pulledImage)).toEqual([other]);
  // What is called as a template is, and is not here, is not the template.
  await expect(all.start({ ...spec('debian'), pulledImage: 'gone' })).rejects.toMatchObject({
    code: 'image_unknown',
  });
  const none = combineEngines([broken, new PullingEngine([], false)]);
  await expect(none.images?.pull({ reference: 'a', credentials: null })).rejects.toMatchObject({
    code: 'engine_unavailable',
  });
});
