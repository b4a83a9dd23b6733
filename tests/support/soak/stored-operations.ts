import { deepStrictEqual } from 'node:assert/strict';
import { volumePath } from './life-operations.ts';
import type { ModelSandbox, ModelSnapshot, ModelVolume } from './soak-model.ts';
import {
  expectStatus,
  onSandbox,
  type SoakContext,
  type SoakOperation,
  shell,
} from './soak-operation.ts';

const mostVolumes = 1;
const mostSnapshots = 3;
const deadlineMs = 60_000;

const hasVolume = ({ volume }: ModelSandbox): boolean => volume !== null;

async function snapshotState({ client }: SoakContext, id: string): Promise<string> {
  const { body, text } = await client.brimble('GET', '/sandboxes/snapshots?limit=100');
  const found = body?.data?.data?.find((one: { id: string }) => one.id === id);
  if (found === undefined) throw new Error(`There is no snapshot ${id} in ${text}`);
  return found.status;
}

export async function deleteSnapshot(
  { client, model }: SoakContext,
  snapshot: ModelSnapshot,
): Promise<void> {
  expectStatus(await client.brimble('DELETE', `/sandboxes/snapshots/${snapshot.id}`), 204);
  model.snapshots.delete(snapshot);
}

export async function deleteVolume(
  { client, model }: SoakContext,
  volume: ModelVolume,
): Promise<void> {
  expectStatus(await client.brimble('DELETE', `/volumes/${volume.id}`), 204);
  model.volumes.delete(volume);
}

export const storedOperations: readonly SoakOperation[] = [
  onSandbox('make a snapshot', 4, 'ready', async (sandbox, context) => {
    const { client, model } = context;
    if (model.snapshots.size >= mostSnapshots) return;
    const answer = await client.brimble('POST', `/sandboxes/${sandbox.id}/snapshots`, {
      name: context.newName(),
    });
    expectStatus(answer, 202);
    const { id } = answer.body.data;
    const untilMs = Date.now() + deadlineMs;
    let state = 'creating';
    while (state === 'creating' && Date.now() < untilMs) state = await snapshotState(context, id);
    deepStrictEqual(state, 'ready');
    const { language, files } = sandbox;
    model.snapshots.add({ id, language, files: new Map(files) });
  }),
  {
    name: 'delete a snapshot',
    weight: 2,
    async run(context) {
      const all = [...context.model.snapshots];
      if (all.length === 0) return false;
      await deleteSnapshot(context, context.random.pick(all));
      return true;
    },
  },
  {
    name: 'make a volume',
    weight: 3,
    async run({ client, model, newName }) {
      if (model.volumes.size >= mostVolumes) return false;
      const name = newName();
      const answer = await client.brimble('POST', '/volumes', { name, sizeGB: 10 });
      expectStatus(answer, 201);
      model.volumes.add({ id: answer.body.data.id, name, files: new Map(), owner: null });
      return true;
    },
  },
  {
    name: 'delete a volume',
    weight: 1,
    async run(context) {
      const all = [...context.model.volumes];
      if (all.length === 0) return false;
      const volume = context.random.pick(all);
      // Whether it is attached depends on the moment.
      if ((volume.owner?.ending ?? null) !== null) return false;
      const isAttached = volume.owner !== null && volume.owner.state !== 'stopped';
      if (!isAttached && volume.owner !== null) return false;
      if (!isAttached) await deleteVolume(context, volume);
      else expectStatus(await context.client.brimble('DELETE', `/volumes/${volume.id}`), 400);
      return true;
    },
  },
  onSandbox(
    'write to a volume',
    4,
    'ready',
    async (sandbox, context) => {
      const [name, text] = [context.random.pick(['x', 'y']), context.random.text(30)];
      await shell(context, sandbox, `printf %s ${text} >${volumePath}/${name}`);
      sandbox.volume?.files.set(name, text);
    },
    hasVolume,
  ),
  onSandbox(
    'read a volume',
    4,
    'ready',
    async (sandbox, context) => {
      const script = `for f in x y; do printf '%s=' $f; cat ${volumePath}/$f 2>/dev/null; echo; done`;
      const kept = sandbox.volume?.files;
      const expected = `x=${kept?.get('x') ?? ''}\ny=${kept?.get('y') ?? ''}\n`;
      deepStrictEqual(await shell(context, sandbox, script), expected);
    },
    hasVolume,
  ),
];
