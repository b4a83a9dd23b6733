import { deepStrictEqual } from 'node:assert/strict';
import { forget } from './life-operations.ts';
import type { ModelEnding, ModelSandbox } from './soak-model.ts';
import {
  expectStatus,
  onSandbox,
  type SoakContext,
  type SoakOperation,
  shell,
} from './soak-operation.ts';

/** What a listing of the server shows of one of its sandboxes. */
interface Listed {
  readonly name: string;
  readonly status: string;
}

/** How much later than it should a sandbox may end, on a machine that does other things too. */
const graceMs = 30_000;

/**
 * A sandbox that is left alone from now on, until the end that `arrange` makes for it. It ends no
 * sooner than `spanMs` after the call began, and soon after `spanMs` from when it was answered.
 */
async function letEnd(
  { random }: SoakContext,
  sandbox: ModelSandbox,
  reason: ModelEnding['reason'],
  arrange: (span: string) => Promise<void>,
): Promise<void> {
  const seconds = 1 + random.below(5);
  const spanMs = seconds * 1_000;
  const earliestMs = Date.now() + spanMs;
  await arrange(`${seconds}s`);
  sandbox.ending = { reason, earliestMs, latestMs: Date.now() + spanMs };
}

async function change({ client }: SoakContext, { id }: ModelSandbox, lifetime: object) {
  expectStatus(await client.native('PATCH', `/sandboxes/${id}`, { lifetime }), 200);
}

const expire = (state: ModelSandbox['state'], weight: number): SoakOperation =>
  onSandbox(`let one expire that is ${state}`, weight, state, (sandbox, context) =>
    letEnd(context, sandbox, 'expired', async (expires_in) => {
      const path = `/sandboxes/${sandbox.id}/extend`;
      expectStatus(await context.client.native('POST', path, { expires_in }), 200);
    }),
  );

export const lifetimeOperations: readonly SoakOperation[] = [
  expire('ready', 2),
  expire('paused', 1),
  expire('stopped', 1),
  onSandbox('let one be idle', 2, 'ready', (sandbox, context) =>
    letEnd(context, sandbox, 'idle', async (idle_timeout) => {
      await shell(context, sandbox, 'true');
      await change(context, sandbox, { idle_timeout });
    }),
  ),
  onSandbox('let one be paused too long', 2, 'ready', (sandbox, context) =>
    letEnd(context, sandbox, 'paused_too_long', async (paused_timeout) => {
      await change(context, sandbox, { paused_timeout });
      expectStatus(await context.client.brimble('POST', `/sandboxes/${sandbox.id}/pause`), 200);
      sandbox.state = 'paused';
    }),
  ),
  {
    name: 'save one from its end',
    weight: 4,
    async run(context) {
      const { client, model, random } = context;
      const found = [...model.sandboxes].filter(({ ending }) => ending !== null);
      if (found.length === 0) return false;
      const sandbox = random.pick(found);
      context.about(sandbox.name);
      const lifetime = { expires_in: null, idle_timeout: null, paused_timeout: null };
      const answer = await client.native('PATCH', `/sandboxes/${sandbox.id}`, { lifetime });
      if (answer.status === 404) await settleEnd(context, sandbox);
      else {
        expectStatus(answer, 200);
        deepStrictEqual(answer.body.state, sandbox.state);
        sandbox.ending = null;
      }
      return true;
    },
  },
];

/** One that is not there any more: it must have ended by itself, not too soon, for the right reason. */
async function settleEnd({ client, model }: SoakContext, sandbox: ModelSandbox): Promise<void> {
  const { ending } = sandbox;
  const { body } = await client.native('GET', `/sandboxes/${sandbox.id}`);
  const { state, destroy_reason, destroyed_at } = body;
  deepStrictEqual(
    { state, reason: destroy_reason },
    { state: 'destroyed', reason: ending?.reason },
  );
  // The server tells whole seconds.
  const endedMs = Date.parse(destroyed_at) + 1_000;
  if (ending === null || endedMs <= ending.earliestMs) {
    throw new Error(`${sandbox.name} ended at ${destroyed_at}, before its time`);
  }
  forget(model, sandbox);
}

/**
 * Compares what was listed between two times with the sandboxes whose end has come or may come.
 * @returns those of which nothing is known: they end just now
 */
export async function settleEnds(
  context: SoakContext,
  listed: readonly Listed[],
  { beforeMs, afterMs }: { readonly beforeMs: number; readonly afterMs: number },
): Promise<ReadonlySet<string>> {
  const between = new Set<string>();
  for (const sandbox of [...context.model.sandboxes]) {
    const { name, ending } = sandbox;
    if (ending === null || afterMs < ending.earliestMs) continue;
    if (!listed.some((one) => one.name === name)) await settleEnd(context, sandbox);
    else if (beforeMs <= ending.latestMs + graceMs) between.add(name);
    else throw new Error(`${name} should have ended at ${new Date(ending.latestMs).toISOString()}`);
  }
  return between;
}
