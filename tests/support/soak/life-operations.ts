import { deepStrictEqual, match } from 'node:assert/strict';
import type { ModelSandbox, ModelVolume } from './soak-model.ts';
import { expectStatus, onSandbox, type SoakContext, type SoakOperation } from './soak-operation.ts';

const mostSandboxes = 5;
export const volumePath = '/data';

interface Wanted {
  readonly language?: ModelSandbox['language'];
  readonly oneShot?: boolean;
  readonly volume?: ModelVolume;
  readonly fromSnapshot?: string;
  readonly files?: ReadonlyMap<string, string>;
}

async function create(context: SoakContext, wanted: Wanted): Promise<boolean> {
  const { client, model } = context;
  if (model.sandboxes.size >= mostSandboxes) return false;
  const { language = 'python', oneShot = false, volume, files = new Map() } = wanted;
  const name = context.newName();
  context.about(name);
  const answer = await client.brimble('POST', '/sandboxes', {
    name,
    ...(wanted.fromSnapshot === undefined ? { template: language } : wanted),
    ...(oneShot ? { oneShot } : {}),
    ...(volume === undefined ? {} : { volumeId: volume.id, mountPath: volumePath }),
  });
  expectStatus(answer, 201);
  const { id, status } = answer.body.data;
  deepStrictEqual({ name: answer.body.data.name, status }, { name, status: 'ready' });
  const sandbox: ModelSandbox = {
    ...{ id, name, language, oneShot, volume: volume ?? null, state: 'ready', remembered: null },
    ...{ reach: 'none', ending: null },
    files: new Map(files),
    // The first start unpacks the snapshot; nothing was saved since.
    saved: new Map(files),
  };
  if (volume !== undefined) volume.owner = sandbox;
  model.sandboxes.add(sandbox);
  return true;
}

export async function destroySandbox(
  { client, model }: SoakContext,
  sandbox: ModelSandbox,
): Promise<void> {
  expectStatus(await client.brimble('DELETE', `/sandboxes/${sandbox.id}`), 204);
  forget(model, sandbox);
}

export function forget(model: SoakContext['model'], sandbox: ModelSandbox): void {
  sandbox.state = 'destroyed';
  model.sandboxes.delete(sandbox);
  if (sandbox.volume !== null) sandbox.volume.owner = null;
}

/** By the door whose words are start and stop. */
async function byRpc(context: SoakContext, method: string, sandbox: ModelSandbox): Promise<void> {
  const answer = await context.client.rpc(method, { sandbox: sandbox.name });
  match(answer.text, /"result"/);
}

/** Its processes are gone: a one-shot sandbox goes with them, another is stopped. */
function endRun(context: SoakContext, sandbox: ModelSandbox, files: Map<string, string>): void {
  if (sandbox.oneShot) {
    forget(context.model, sandbox);
    return;
  }
  sandbox.state = 'stopped';
  sandbox.remembered = null;
  sandbox.files = new Map(files);
  sandbox.saved = new Map(files);
}

async function stopSandbox(sandbox: ModelSandbox, context: SoakContext): Promise<void> {
  await byRpc(context, 'sandbox.stop', sandbox);
  endRun(context, sandbox, sandbox.files);
}

const call = (
  action: string,
  from: ModelSandbox['state'],
  to: ModelSandbox['state'],
  weight: number,
) =>
  onSandbox(action, weight, from, async (sandbox, { client }) => {
    expectStatus(await client.brimble('POST', `/sandboxes/${sandbox.id}/${action}`), 200);
    sandbox.state = to;
  });

const settleDeadlineMs = 20_000;

export const lifeOperations: readonly SoakOperation[] = [
  {
    name: 'create',
    weight: 12,
    run: (context) =>
      create(context, {
        language: context.random.pick(['python', 'python', 'node']),
        oneShot: context.random.below(8) === 0,
      }),
  },
  {
    name: 'create with a volume',
    weight: 5,
    async run(context) {
      const free = [...context.model.volumes].filter(({ owner }) => owner === null);
      return free.length > 0 && (await create(context, { volume: context.random.pick(free) }));
    },
  },
  {
    name: 'create from a snapshot',
    weight: 4,
    async run(context) {
      const all = [...context.model.snapshots];
      if (all.length === 0) return false;
      const { id, language, files } = context.random.pick(all);
      return await create(context, { fromSnapshot: id, language, files });
    },
  },
  call('pause', 'ready', 'paused', 7),
  call('resume', 'paused', 'ready', 9),
  onSandbox('stop', 3, 'ready', stopSandbox),
  onSandbox('stop while paused', 1, 'paused', stopSandbox),
  onSandbox('start', 5, 'stopped', async (sandbox, context) => {
    await byRpc(context, 'sandbox.start', sandbox);
    sandbox.state = 'ready';
  }),
  onSandbox('kill all processes inside', 2, 'ready', async (sandbox, context) => {
    const { client } = context;
    // How this is answered depends on who dies first.
    await client.brimble('POST', `/sandboxes/${sandbox.id}/exec`, {
      cmd: 'kill -9 -1; kill -9 $PPID',
    });
    const goneMs = Date.now() + settleDeadlineMs;
    const status = async () =>
      (await client.brimble('GET', `/sandboxes/${sandbox.id}`)).body.data.status;
    while ((await status()) === 'ready' && Date.now() < goneMs);
    endRun(context, sandbox, sandbox.saved);
  }),
  onSandbox('destroy', 5, 'ready', (sandbox, context) => destroySandbox(context, sandbox)),
  onSandbox('destroy while paused', 2, 'paused', (sandbox, context) =>
    destroySandbox(context, sandbox),
  ),
  onSandbox('destroy while stopped', 1, 'stopped', (sandbox, context) =>
    destroySandbox(context, sandbox),
  ),
];
