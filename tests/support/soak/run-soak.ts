import { deepStrictEqual } from 'node:assert/strict';
import type { ServerProcess } from '../server-process.ts';
import { createDoorClient } from './door-client.ts';
import { destroySandbox, lifeOperations } from './life-operations.ts';
import { lifetimeOperations, settleEnds } from './lifetime-operations.ts';
import { networkOperations } from './network-operations.ts';
import { createSeededRandom } from './seeded-random.ts';
import { createModel, statusInModel } from './soak-model.ts';
import { openSoakNetwork, type SoakNetwork } from './soak-network.ts';
import type { SoakContext } from './soak-operation.ts';
import { deleteSnapshot, deleteVolume, storedOperations } from './stored-operations.ts';
import { workOperations } from './work-operations.ts';

const operations = [
  ...lifeOperations,
  ...lifetimeOperations,
  ...networkOperations,
  ...workOperations,
  ...storedOperations,
];

export const operationNames: readonly string[] = operations.map(({ name }) => name);

export interface SoakOutcome {
  /** How often each operation was done. */
  readonly done: ReadonlyMap<string, number>;
  /** What the server did wrong, with what led to it. Each ends its client. */
  readonly failures: readonly string[];
}

/** The last of these is what a failure shows. */
const shownOperations = 60;

/**
 * Clients that do what their seeds say until the time is over, each compared with a model after every
 * operation, and then destroy all that they have. Client n of seed s does the same as client 0 of seed
 * s + n would, as far as time has no part in it.
 */
export async function runSoak(
  server: ServerProcess,
  plan: { readonly clients: number; readonly seed: number; readonly durationMs: number },
): Promise<SoakOutcome> {
  const done = new Map<string, number>();
  const failures: string[] = [];
  const network = await openSoakNetwork();
  const endMs = Date.now() + plan.durationMs;
  const runClient = async (index: number): Promise<void> => {
    const history: string[] = [];
    const prefix = `soak${plan.seed}-${index}-`;
    const context = openContext({ server, network }, plan.seed + index, prefix, (name) => {
      history.push(`${history.pop()} ${name.slice(prefix.length)}`);
    });
    try {
      while (Date.now() < endMs && failures.length === 0) {
        const operation = context.random.weighted(operations);
        history.push(operation.name);
        if (await operation.run(context)) {
          done.set(operation.name, (done.get(operation.name) ?? 0) + 1);
          await compare(context, prefix);
        } else history.pop();
      }
      history.push('destroy all');
      await destroyAll(context);
      await compare(context, prefix);
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      const last = history.slice(-shownOperations).join(', ');
      failures.push(`client ${index} of seed ${plan.seed}, after ${last}: ${text}`);
    } finally {
      context.client.close();
    }
  };
  await Promise.all(Array.from({ length: plan.clients }, (_, index) => runClient(index)));
  network.close();
  return { done, failures };
}

function openContext(
  { server, network }: { readonly server: ServerProcess; readonly network: SoakNetwork },
  seed: number,
  prefix: string,
  about: SoakContext['about'],
): SoakContext {
  let names = 0;
  return {
    client: createDoorClient(server.address, server.firstKey),
    model: createModel(),
    network,
    random: createSeededRandom(seed),
    about,
    newName() {
      names += 1;
      return `${prefix}${names}`;
    },
  };
}

/** What lists show of sandboxes and volumes. */
interface Listed {
  readonly name: string;
  readonly status: string;
  readonly attached_sandbox_id: string | null;
}

/** The client's sandboxes and volumes as the server has them, against the model. */
async function compare(context: SoakContext, prefix: string): Promise<void> {
  const { client, model } = context;
  const beforeMs = Date.now();
  const sandboxes = await client.brimble('GET', `/sandboxes?limit=100&search=${prefix}`);
  const listed = sandboxes.body.data.data as Listed[];
  const between = await settleEnds(context, listed, { beforeMs, afterMs: Date.now() });
  const isKnown = ({ name }: { readonly name: string }): boolean => !between.has(name);
  deepStrictEqual(
    byName(listed.filter(isKnown), ({ status }) => status),
    byName([...model.sandboxes].filter(isKnown), statusInModel),
  );
  const volumes = await client.brimble('GET', '/volumes?limit=100');
  // One whose sandbox ends by itself may be free already.
  const unsure = [...model.volumes].filter(({ owner }) => (owner?.ending ?? null) !== null);
  const own = (volumes.body.data.data as Listed[])
    .filter(({ name }) => name.startsWith(prefix))
    .filter(({ name }) => unsure.every((volume) => volume.name !== name));
  deepStrictEqual(
    byName(own, (one) => one.attached_sandbox_id),
    byName(
      [...model.volumes].filter((volume) => !unsure.includes(volume)),
      ({ owner }) => (owner === null || owner.state === 'stopped' ? null : owner.id),
    ),
  );
}

function byName<Item extends { readonly name: string }>(
  items: readonly Item[],
  toValue: (item: Item) => unknown,
): Record<string, unknown> {
  const entries = items.map((item): [string, unknown] => [item.name, toValue(item)]);
  return Object.fromEntries(entries.sort(([one], [other]) => one.localeCompare(other)));
}

async function destroyAll(context: SoakContext): Promise<void> {
  const { sandboxes, snapshots, volumes } = context.model;
  for (const sandbox of [...sandboxes]) await destroySandbox(context, sandbox);
  for (const snapshot of [...snapshots]) await deleteSnapshot(context, snapshot);
  for (const volume of [...volumes]) await deleteVolume(context, volume);
}
