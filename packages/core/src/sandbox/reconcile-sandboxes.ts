import type { Sandbox } from './sandbox.ts';
import type { SandboxAdmission } from './sandbox-admission.ts';
import { findCaller, type SandboxCaller } from './sandbox-caller.ts';
import type { SandboxParts } from './sandbox-parts.ts';
import type { SandboxEnds } from './stop-sandbox.ts';

/**
 * After a crash nothing runs: what claims a process is stopped, what was to end with its process is
 * destroyed, and what destroyed ones left behind is removed.
 */
export async function reconcileSandboxes(
  { engine, storage, records, clock, inTurn }: SandboxParts,
  {
    admission,
    ends,
    onFound,
  }: {
    readonly admission: SandboxAdmission;
    readonly ends: SandboxEnds;
    /** Whoever looks after sandboxes by time. */
    readonly onFound: readonly { track(sandbox: Sandbox): void }[];
  },
): Promise<void> {
  await engine.reconcile();
  await storage.sandboxes.markAllStopped(clock.nowMs());
  await storage.idempotency.abandonAll();
  const layers = await engine.layerSizes();
  const callers = new Map<number, SandboxCaller>();
  for (const sandbox of await records.list()) {
    const { id, createdByKey } = sandbox;
    const caller =
      createdByKey === null
        ? null
        : (callers.get(createdByKey) ?? (await findCaller(storage, createdByKey)));
    if (caller !== null) callers.set(caller.keyNumber, caller);
    admission.load(sandbox, caller, layers.get(id) ?? 0);
    if (sandbox.lifetime.oneShot) {
      await inTurn(sandbox.id, () => ends.bury(sandbox, 'one_shot'));
      continue;
    }
    for (const keeper of onFound) keeper.track(sandbox);
  }
  for (const id of layers.keys()) {
    const owner = await records.byId(id);
    if (owner?.state === 'destroyed') await engine.removeLayer(id);
  }
}
