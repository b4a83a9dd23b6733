import { SandgateError } from '../error/sandgate-error.ts';
import type { EngineObserver, EngineSandbox, EngineSandboxSpec } from '../port/engine.ts';
import type { PulledImage } from '../port/image-puller.ts';
import { newResourceId } from '../port/resource-id.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { buildDefinition, type RequestedSandbox } from './build-definition.ts';
import { type ComposedSandbox, composeSandbox } from './compose-sandbox.ts';
import type { LaunchQueue } from './launch-queue.ts';
import type { NewSandbox } from './new-sandbox.ts';
import { withOwnImage } from './own-image.ts';
import { type ImagePulls, pinnedTo } from './pull-image.ts';
import { randomName } from './random-name.ts';
import { isAlive } from './read-metrics.ts';
import { sameDefinition } from './same-definition.ts';
import type { Sandbox } from './sandbox.ts';
import type { SandboxAdmission } from './sandbox-admission.ts';
import type { SandboxDefinition } from './sandbox-definition.ts';
import { requireNewSandboxName } from './sandbox-name.ts';
import type { SandboxParts } from './sandbox-parts.ts';
import { factsOf } from './sandbox-records.ts';
import type { Sandboxes } from './sandboxes.ts';
import { requireWaiting, startOrder } from './start-order.ts';
import type { SandboxEnds } from './stop-sandbox.ts';
import type { TemplateCatalogue } from './template-catalogue.ts';

/** A sandbox of the engine's that runs and belongs to nobody yet. */
export interface WarmSandbox {
  readonly id: string;
  readonly live: EngineSandbox;
}

export interface StartParts extends SandboxParts {
  readonly admission: SandboxAdmission;
  readonly launches: LaunchQueue;
  readonly pulls: Pick<ImagePulls, 'pull'>;
  readonly ends: SandboxEnds;
  readonly catalogue: () => Promise<TemplateCatalogue>;
  /** One that is as it was asked for, out of the pool. It is the caller's from here. */
  readonly takeWarm: (composed: ComposedSandbox) => WarmSandbox | null;
  /** One that was taken is used, and may be replaced. */
  readonly replaceWarm: () => void;
  /** One that was taken is not used, and is as it was. */
  readonly giveBackWarm: (warm: WarmSandbox) => void;
  /** Ends one that was used in vain. */
  readonly discardWarm: (warm: WarmSandbox) => void;
  /** In its turn: goes on with a paused sandbox. */
  readonly resumePaused: (sandbox: Sandbox) => Promise<Sandbox>;
}

interface StartOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onStored?: (sandbox: Sandbox) => void;
}

/** So many tries to find a name that nobody has; with four million, one is nearly always enough. */
const nameTries = 20;

export function createStarts(parts: StartParts): Pick<Sandboxes, 'create' | 'start'> {
  const { records, live, inTurn, clock, policy, storage, engine, admission, ends } = parts;

  const attachVolumes = async (sandbox: Sandbox): Promise<void> => {
    const taken = await storage.volumes.attach(sandbox.volumes, sandbox.id, clock.nowMs());
    if (taken !== null) {
      throw new SandgateError(
        'volume_attached',
        `Volume ${taken} is attached to another sandbox, or is being removed. Stop that sandbox first`,
        { data: { volumeId: taken } },
      );
    }
    for (const { volumeId } of sandbox.volumes) {
      const volume = await storage.volumes.findById(volumeId);
      if (volume === null) continue;
      parts.events.publish(sandbox.workspaceId, {
        kind: 'volume.state',
        volumeId,
        name: volume.name,
        state: volume.state,
        attachedSandboxId: sandbox.id,
      });
    }
  };

  const specOf = async (
    sandbox: Sandbox,
    pulled: PulledImage | null,
  ): Promise<EngineSandboxSpec> => {
    const { definition, fromSnapshot, volumes, egress } = sandbox;
    // One that was deleted since is in the sandbox's own layer by now.
    const snapshot = fromSnapshot === null ? null : await storage.snapshots.findById(fromSnapshot);
    return {
      id: sandbox.id,
      hostname: sandbox.name,
      image: definition.image,
      ...(pulled === null ? {} : { pulledImage: pulled.image }),
      resources: definition.resources,
      environment: { ...definition.environment, ...definition.secretEnvironment },
      workdir: definition.workdir,
      mounts: definition.mounts,
      scripts: definition.scripts,
      ...(volumes.length === 0 ? {} : { volumes }),
      ...(egress.mode === 'deny_all' ? {} : { egress }),
      ...(snapshot === null ? {} : { fromSnapshot: snapshot.id }),
    };
  };

  const launch = async (
    sandbox: Sandbox,
    warm: WarmSandbox | null,
    signal: AbortSignal | undefined,
  ): Promise<Sandbox> => {
    // Before its turn to be launched, and before it holds volumes: this may take long.
    const pulled = await parts.pulls.pull(sandbox, signal);
    await attachVolumes(sandbox);
    const spec = await specOf(sandbox, pulled);
    const running =
      warm?.live ??
      (await parts.launches.run(
        sandbox.workspaceId,
        () => engine.start(spec, observerOf(parts, sandbox.id)),
        signal,
      ));
    live.set(sandbox.id, running);
    const nowMs = clock.nowMs();
    parts.activity.touch(sandbox.id);
    const ready = await records.settle(sandbox, {
      ...factsOf(sandbox),
      definition: pinnedTo(pulled, sandbox.definition),
      updatedAtMs: nowMs,
      state: 'ready',
    });
    ends.watch(ready, running);
    runMainCommand(ready, running);
    return ready;
  };

  /** The command given at the start, or the `start` script. It runs beside everything else. */
  const runMainCommand = (sandbox: Sandbox, running: EngineSandbox): void => {
    const { shell, exec, scripts } = sandbox.definition;
    const line = exec ?? ('start' in scripts ? '/.sandbox/scripts/start' : null);
    if (line === null) return;
    running
      .exec({
        argv: [shell, '-c', line],
        onOutput: ({ data }) => parts.logs.append(sandbox.id, data),
      })
      .catch((error: unknown) => parts.onBackgroundError(error, sandbox))
      .then(() =>
        parts.settler.settle(
          async () => {
            const { lifetime } = (await records.byId(sandbox.id)) ?? sandbox;
            if (lifetime.oneShot) await ends.destroyFor(sandbox.id, 'one_shot');
          },
          (error) => parts.onBackgroundError(error, sandbox),
        ),
      );
  };

  /** What was begun in vain is undone. `last` is the definition that worked before, if one did. */
  const giveUp = async (
    sandbox: Sandbox,
    error: unknown,
    last: SandboxDefinition | null,
  ): Promise<void> => {
    await ends.release(sandbox);
    const failed = await records.settle(sandbox, {
      ...factsOf(sandbox),
      definition: last ?? sandbox.definition,
      updatedAtMs: clock.nowMs(),
      state: 'failed',
      failure: error instanceof SandgateError ? error.message : 'The engine failed',
    });
    if (last === null) await ends.bury(failed, 'failed');
  };

  /** Stores a new sandbox and starts it, or leaves nothing of it. */
  const make = async (
    workspace: Workspace,
    name: string,
    composed: ComposedSandbox,
    { signal, onStored }: StartOptions,
  ): Promise<Sandbox> => {
    const caller = await parts.caller();
    requireWaiting(signal);
    const warm = parts.takeWarm(composed);
    const nowMs = clock.nowMs();
    const sandbox: Sandbox = {
      ...composed,
      id: warm?.id ?? newResourceId(clock, parts.randomness),
      workspaceId: workspace.id,
      name,
      createdByKey: caller?.keyNumber ?? null,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
      lastActivityAtMs: nowMs,
      pausedAtMs: null,
      state: 'starting',
    };
    return await inTurn(sandbox.id, async () => {
      try {
        if (warm !== null) admission.rest(sandbox.id);
        const { id, definition } = sandbox;
        admission.enter({ id, resources: definition.resources }, workspace, caller);
        await records.insert(sandbox);
        onStored?.(sandbox);
      } catch (error) {
        admission.leave(sandbox.id);
        if (warm !== null) parts.giveBackWarm(warm);
        throw error;
      }
      // What is refused costs nothing of the pool.
      if (warm !== null) parts.replaceWarm();
      try {
        return await launch(sandbox, warm, signal);
      } catch (error) {
        if (warm !== null) parts.discardWarm(warm);
        await giveUp(sandbox, error, null);
        throw error;
      }
    });
  };

  /** In its turn: starts a stored sandbox again. */
  const restart = async (
    workspace: Workspace,
    stored: Sandbox,
    definition: SandboxDefinition,
    signal: AbortSignal | undefined,
  ): Promise<Sandbox> => {
    const { id } = stored;
    admission.run({ id, resources: definition.resources }, workspace, await parts.caller());
    let starting: Sandbox;
    try {
      starting = await records.store(stored, {
        ...factsOf(stored),
        definition,
        updatedAtMs: clock.nowMs(),
        state: 'starting',
      });
    } catch (error) {
      admission.rest(id);
      throw error;
    }
    try {
      return await launch(starting, null, signal);
    } catch (error) {
      // What was asked for in vain is not kept: the next start without a request uses what worked.
      await giveUp(starting, error, stored.definition);
      throw error;
    }
  };

  const startStored = async (
    workspace: Workspace,
    found: Sandbox,
    requested: RequestedSandbox | null,
    signal: AbortSignal | undefined,
  ): Promise<Sandbox> => {
    if (found.state === 'paused' && requested === null) return await parts.resumePaused(found);
    const running = live.get(found.id);
    const alive = running !== undefined && (found.state === 'paused' || (await isAlive(running)));
    if (alive && requested === null) return found;
    const wanted = await withOwnImage(parts, workspace, requested ?? {}, found.definition);
    const definition = buildDefinition(wanted, found.definition, policy);
    if (alive) {
      if (sameDefinition(found.definition, definition)) return found;
      throw new SandgateError(
        'sandbox_busy',
        `Sandbox '${found.name}' is running with another configuration. Stop it first, then start it anew`,
      );
    }
    return await restart(workspace, await layDown(found, running), definition, signal);
  };

  /** One that ended a moment ago, before its watcher could say so. */
  const layDown = async (
    sandbox: Sandbox,
    running: EngineSandbox | undefined,
  ): Promise<Sandbox> => {
    await running?.exited;
    if (sandbox.state === 'stopped' || sandbox.state === 'failed') return sandbox;
    await ends.release(sandbox);
    return await records.settle(sandbox, {
      ...factsOf(sandbox),
      pausedAtMs: null,
      updatedAtMs: clock.nowMs(),
      state: 'stopped',
    });
  };

  const startOne = (
    workspace: Workspace,
    reference: string,
    requested: RequestedSandbox | null,
    { signal }: StartOptions,
    /** Of the sandbox that is meant, and no other of its name. */
    id?: string,
  ): Promise<Sandbox> =>
    inTurn(nameTurn(workspace.id, reference), async () => {
      requireWaiting(signal);
      const found = await records.look(workspace, reference);
      if (id !== undefined && found?.id !== id) throw goneMeanwhile(reference);
      if (found === null) {
        requireNewSandboxName(reference);
        const wanted = await withOwnImage(parts, workspace, requested ?? {}, null);
        const definition = buildDefinition(wanted, null, policy);
        const { egress } = policy;
        const lifetime = { ...policy.lifetime, expiresAtMs: null, oneShot: false };
        const template = requested?.image ?? definition.image;
        const plain = { labels: {}, volumes: [], fromSnapshot: null, snapshotSchedule: null };
        const composed = { definition, template, egress, lifetime, ...plain };
        return await make(workspace, reference, composed, { signal });
      }
      return await inTurn(found.id, async () => {
        const current = await records.byId(found.id);
        if (current === null || current.state === 'destroyed') {
          throw goneMeanwhile(reference);
        }
        return await startStored(workspace, current, requested, signal);
      });
    });

  const createNamed = (
    workspace: Workspace,
    name: string,
    composed: ComposedSandbox,
    options: StartOptions,
  ): Promise<Sandbox> =>
    inTurn(nameTurn(workspace.id, name), () => make(workspace, name, composed, options));

  const createUnnamed = async (
    workspace: Workspace,
    composed: ComposedSandbox,
    options: StartOptions,
  ): Promise<Sandbox> => {
    for (let tries = 1; ; tries += 1) {
      const name = randomName(parts.randomness);
      const taken = await storage.sandboxes.findByName(workspace.id, name);
      if (taken !== null && tries < nameTries) continue;
      try {
        return await createNamed(workspace, name, composed, options);
      } catch (error) {
        const lost = error instanceof SandgateError && error.code === 'sandbox_exists';
        if (!lost || tries >= nameTries) throw error;
      }
    }
  };

  return {
    async create(workspace, requested: NewSandbox, options = {}) {
      const { name } = requested;
      if (name !== undefined) requireNewSandboxName(name);
      const composed = await composeSandbox(parts, await parts.catalogue(), workspace, requested);
      return name === undefined
        ? await createUnnamed(workspace, composed, options)
        : await createNamed(workspace, name, composed, options);
    },
    async start(workspace, reference, requested, options = {}) {
      const stored = await records.look(workspace, reference);
      const name = stored?.name ?? reference;
      const before = await startOrder(
        name,
        requested?.dependsOn ?? stored?.definition.dependsOn ?? [],
        async (dependency) => (await records.find(workspace, dependency)).definition.dependsOn,
      );
      for (const dependency of before) await startOne(workspace, dependency, null, options);
      const id = stored?.id === reference ? reference : undefined;
      return await startOne(workspace, name, requested, options, id);
    },
  };
}

/** What the engine tells of a sandbox while it runs goes to whoever has it by then. */
export const observerOf = (
  { events, records, onBackgroundError }: SandboxParts,
  sandboxId: string,
): EngineObserver => ({
  onEgressDenied({ host, port, reason }) {
    records
      .byId(sandboxId)
      .then((sandbox) => {
        if (sandbox === null) return;
        const happening = { kind: 'egress.denied', sandboxId, host, port, reason } as const;
        events.publish(sandbox.workspaceId, happening);
      })
      .catch((error: unknown) => onBackgroundError(error, { id: sandboxId, workspaceId: '' }));
  },
});

const goneMeanwhile = (name: string): SandgateError =>
  new SandgateError(
    'sandbox_not_found',
    `Sandbox '${name}' was destroyed or renamed a moment ago. Start it once more to make a new one`,
  );

const nameTurn = (workspaceId: string, name: string): string => `${workspaceId}/${name}`;
