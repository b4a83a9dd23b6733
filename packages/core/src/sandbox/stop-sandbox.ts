import { SandgateError } from '../error/sandgate-error.ts';
import type { EngineSandbox } from '../port/engine.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { withoutSecrets } from './compose-sandbox.ts';
import type { Sandbox } from './sandbox.ts';
import type { SandboxAdmission } from './sandbox-admission.ts';
import type { DestroyReason } from './sandbox-lifetime.ts';
import type { SandboxParts } from './sandbox-parts.ts';
import { factsOf } from './sandbox-records.ts';
import type { Sandboxes } from './sandboxes.ts';
import { tellInLog } from './tell-in-log.ts';

export interface SandboxEnds extends Pick<Sandboxes, 'stop' | 'destroy'> {
  /** As `destroy` does, for a reason of the server's own. Null when it is gone already. */
  destroyFor(id: string, reason: DestroyReason): Promise<Sandbox | null>;
  /**
   * The same for the reason that there is when its turn has come. Null when there is none: what was
   * done to it meanwhile may have put its end off.
   */
  destroyIf(
    id: string,
    reasonOf: (sandbox: Sandbox) => DestroyReason | null,
  ): Promise<Sandbox | null>;
  /** Puts the record right when a running sandbox ends by itself. */
  watch(sandbox: Sandbox, live: EngineSandbox): void;
  /** Frees what a sandbox held while it ran. In its turn; may be called twice. */
  release(sandbox: Sandbox): Promise<void>;
  /** In its turn: destroys a sandbox that does not run. */
  bury(sandbox: Sandbox, reason: DestroyReason): Promise<Sandbox>;
}

export interface EndsParts extends SandboxParts {
  readonly admission: SandboxAdmission;
  /** Told in its turn when a sandbox runs no more. */
  readonly onRested: (id: string) => void;
}

const unaskedReasons: ReadonlySet<DestroyReason> = new Set(['failed', 'one_shot']);
const layerFailure = 'The files of the last run could not be kept';

export function createEnds(parts: EndsParts): SandboxEnds {
  const { records, live, inTurn, clock, storage, engine, admission } = parts;

  const release = async (sandbox: Sandbox): Promise<void> => {
    live.delete(sandbox.id);
    admission.rest(sandbox.id);
    parts.onRested(sandbox.id);
    await parts.settler.settle(
      async () => {
        // What runs again since has them for itself.
        if (live.has(sandbox.id)) return;
        for (const volume of await storage.volumes.detach(sandbox.id, clock.nowMs())) {
          const { id: volumeId, name, state, attachedSandboxId } = volume;
          const happening = { volumeId, name, state, attachedSandboxId };
          parts.events.publish(volume.workspaceId, { kind: 'volume.state', ...happening });
        }
      },
      (error) => parts.onBackgroundError(error, sandbox),
    );
  };

  const stopped = (sandbox: Sandbox): Sandbox => ({
    ...factsOf(sandbox),
    pausedAtMs: null,
    updatedAtMs: clock.nowMs(),
    state: 'stopped',
  });

  const failed = (sandbox: Sandbox, failure: string): Sandbox => ({
    ...factsOf(sandbox),
    pausedAtMs: null,
    updatedAtMs: clock.nowMs(),
    state: 'failed',
    failure,
  });

  /** A sandbox whose record claims a process that has ended. */
  const lay = async (sandbox: Sandbox): Promise<Sandbox> => {
    if (sandbox.state === 'stopped' || sandbox.state === 'failed') return sandbox;
    await release(sandbox);
    return await records.settle(sandbox, stopped(sandbox));
  };

  const stopping = async (sandbox: Sandbox): Promise<Sandbox> =>
    await records.store(sandbox, {
      ...factsOf(sandbox),
      updatedAtMs: clock.nowMs(),
      state: 'stopping',
    });

  /** What the engine could not end is tried again until it can: nobody else has it any more. */
  const endLater = async (
    { id, workspaceId }: Sandbox,
    running: EngineSandbox,
    options: { readonly keepLayer: boolean },
  ): Promise<void> => {
    if (live.get(id) !== running) return;
    await parts.settler.settle(
      () => running.stop(options),
      (error) => parts.onBackgroundError(error, { id, workspaceId }),
    );
  };

  const stopLive = async (sandbox: Sandbox, running: EngineSandbox): Promise<Sandbox> => {
    const ending = await stopping(sandbox);
    const layer = admission.countLayer(sandbox);
    let kept = false;
    try {
      await running.stop({
        onLayerBytes: layer.add,
        onLeftOut: (sentence) => tellInLog(parts, ending, sentence),
      });
      kept = true;
      await release(ending);
      return await records.settle(ending, stopped(ending));
    } catch (error) {
      await endLater(ending, running, { keepLayer: true });
      await release(ending);
      await records.settle(ending, failed(ending, layerFailure));
      throw error;
    } finally {
      layer.end(kept);
    }
  };

  /** Ends its processes without keeping its files. */
  const kill = async (sandbox: Sandbox, running: EngineSandbox): Promise<Sandbox> => {
    const ending = await stopping(sandbox);
    try {
      await running.stop({ keepLayer: false });
    } catch (error) {
      await endLater(ending, running, { keepLayer: false });
      await release(ending);
      await records.settle(ending, failed(ending, 'The engine could not end it properly'));
      throw error;
    }
    await release(ending);
    return await records.settle(ending, stopped(ending));
  };

  const bury = async (sandbox: Sandbox, destroyReason: DestroyReason): Promise<Sandbox> => {
    const destroyedAtMs = clock.nowMs();
    const gone = {
      ...factsOf(sandbox),
      // Values may be secrets, and nobody starts it again.
      definition: { ...withoutSecrets(sandbox.definition), environment: {} },
      pausedAtMs: null,
      updatedAtMs: destroyedAtMs,
      state: 'destroyed' as const,
      destroyedAtMs,
      destroyReason,
      failure: destroyReason === 'failed' && sandbox.state === 'failed' ? sandbox.failure : null,
    };
    // The record first: files without a sandbox are found by `reconcile`, one without files by nobody.
    // Nobody asks again for what failed or was to end by itself, so that it is settled.
    const destroyed = unaskedReasons.has(destroyReason)
      ? await records.settle(sandbox, gone)
      : await records.store(sandbox, gone);
    admission.leave(sandbox.id);
    parts.activity.forget(sandbox.id);
    const onFailure = (error: unknown) => parts.onBackgroundError(error, destroyed);
    await parts.settler.settle(() => engine.removeLayer(sandbox.id), onFailure);
    await parts.settler.settle(() => parts.logs.remove(sandbox.id), onFailure);
    const asked = destroyReason === 'user' || destroyReason === 'parent';
    if (!asked) await parts.onEnded(destroyed, destroyReason).catch(onFailure);
    return destroyed;
  };

  const end = async (sandbox: Sandbox, reason: DestroyReason): Promise<Sandbox> => {
    const running = live.get(sandbox.id);
    return await bury(
      running === undefined ? await lay(sandbox) : await kill(sandbox, running),
      reason,
    );
  };

  const destroyIf: SandboxEnds['destroyIf'] = (id, reasonOf) =>
    inTurn(id, async () => {
      const sandbox = await records.byId(id);
      if (sandbox === null || sandbox.state === 'destroyed') return null;
      const reason = reasonOf(sandbox);
      return reason === null ? null : await end(sandbox, reason);
    });

  const destroyFor = (id: string, reason: DestroyReason): Promise<Sandbox | null> =>
    destroyIf(id, () => reason);

  return {
    release,
    bury,
    destroyFor,
    destroyIf,
    async stop(workspace, reference) {
      return await inSandboxTurn(parts, workspace, reference, async (sandbox) => {
        const running = live.get(sandbox.id);
        const ended = running === undefined ? await lay(sandbox) : await stopLive(sandbox, running);
        return sandbox.lifetime.oneShot ? await bury(ended, 'one_shot') : ended;
      });
    },
    async destroy(workspace, reference, { reason = 'user' } = {}) {
      const found = await records.find(workspace, reference, { includeDestroyed: true });
      if (found.state === 'destroyed') return found;
      const destroyed = await destroyFor(found.id, reason);
      // Somebody else was faster.
      return destroyed ?? (await records.find(workspace, found.id, { includeDestroyed: true }));
    },
    watch(sandbox, running) {
      const onFailure = (error: unknown) => parts.onBackgroundError(error, sandbox);
      const putRight = (): Promise<void> =>
        inTurn(sandbox.id, async () => {
          const current = await records.byId(sandbox.id);
          if (current === null || current.state === 'destroyed' || live.has(sandbox.id)) return;
          const ended = await lay(current);
          if (current.lifetime.oneShot) await bury(ended, 'one_shot');
        });
      running.exited
        .then(async (reason) => {
          if (live.get(sandbox.id) === running) live.delete(sandbox.id);
          if (reason === 'ended') await parts.settler.settle(putRight, onFailure);
        })
        .catch(onFailure);
    },
  };
}

/** Works on a sandbox as it is when its turn comes. @throws SandgateError `sandbox_not_found` */
export async function inSandboxTurn<Result>(
  { records, inTurn }: Pick<SandboxParts, 'records' | 'inTurn'>,
  workspace: Workspace,
  reference: string,
  work: (sandbox: Sandbox) => Promise<Result>,
): Promise<Result> {
  const { id } = await records.find(workspace, reference);
  return await inTurn(id, async () => {
    const sandbox = await records.byId(id);
    if (sandbox !== null && sandbox.state !== 'destroyed') return await work(sandbox);
    throw new SandgateError(
      'sandbox_not_found',
      `Sandbox '${reference}' not found in namespace '${workspace.slug}'`,
    );
  });
}
