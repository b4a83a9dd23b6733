import { SandgateError } from '../error/sandgate-error.ts';
import type { Clock } from '../port/clock.ts';
import type { Engine, EngineSandbox, OutputChunk } from '../port/engine.ts';
import type { Randomness } from '../port/randomness.ts';
import { newResourceId } from '../port/resource-id.ts';
import type { Storage } from '../port/storage.ts';
import type { Timers } from '../port/timers.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { buildDefinition, type RequestedSandbox, type SandboxPolicy } from './build-definition.ts';
import { createKeyedQueue } from './keyed-queue.ts';
import { createMetricsReader, isAlive } from './read-metrics.ts';
import { sameDefinition } from './same-definition.ts';
import { mayTransition, type Sandbox, type SandboxFacts } from './sandbox.ts';
import type { SandboxDefinition } from './sandbox-definition.ts';
import { endlessLifetime } from './sandbox-lifetime.ts';
import type { Sandboxes, SandboxReading } from './sandboxes.ts';
import { requireWaiting, startOrder } from './start-order.ts';
import { StoredQuota } from './stored-quota.ts';
import { unbuilt } from './unbuilt.ts';

export interface SandboxesDependencies {
  readonly storage: Storage;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly timers: Timers;
  readonly policy: SandboxPolicy;
  /** Takes what a sandbox's main command writes. */
  readonly onMainOutput: (chunk: OutputChunk, sandbox: Sandbox) => void | Promise<void>;
  /** Told of failures that no caller waits for. */
  readonly onBackgroundError: (error: unknown, sandbox: Sandbox) => void;
  /** Told when a sandbox was destroyed, to remove what else is kept of it. */
  readonly onDestroyed?: (sandbox: Sandbox) => void | Promise<void>;
}

export function createSandboxes(dependencies: SandboxesDependencies): Sandboxes {
  const { storage, engine, clock, randomness, policy } = dependencies;
  const running = new Map<string, EngineSandbox>();
  const starting = new Set<string>();
  const inTurn = createKeyedQueue();
  const quota = new StoredQuota(policy.stored);
  const readMetrics = createMetricsReader(dependencies.timers);

  const find = async (workspace: Workspace, name: string): Promise<Sandbox> => {
    const byId = /^[0-9a-f]{24}$/.test(name) ? await storage.sandboxes.findById(name) : null;
    const there = byId?.workspaceId === workspace.id && byId.state !== 'destroyed' ? byId : null;
    const sandbox = there ?? (await storage.sandboxes.findByName(workspace.id, name));
    if (sandbox !== null) return sandbox;
    throw new SandgateError(
      'sandbox_not_found',
      `Sandbox '${name}' not found in namespace '${workspace.slug}'`,
    );
  };

  const findRunning = async (workspace: Workspace, name: string): Promise<EngineSandbox> => {
    const live = running.get((await find(workspace, name)).id);
    if (live !== undefined) return live;
    throw new SandgateError(
      'sandbox_not_running',
      `Sandbox '${name}' is not running. Start it with sandbox.start`,
    );
  };

  const moveTo = async <T extends Sandbox>(from: Sandbox, to: T): Promise<T> => {
    if (!mayTransition(from.state, to.state)) {
      throw new Error(`A sandbox cannot go from ${from.state} to ${to.state}.`);
    }
    await storage.sandboxes.update(to);
    return to;
  };

  const stateOf = <S extends 'starting' | 'ready' | 'stopping' | 'stopped'>(
    sandbox: Sandbox,
    state: S,
    definition: SandboxDefinition = sandbox.definition,
  ) => ({ ...identityOf(sandbox), definition, updatedAtMs: clock.nowMs(), state });

  /** The record of a sandbox that is about to start: a new one, or the stopped one's. */
  const enter = async (
    workspace: Workspace,
    name: string,
    definition: SandboxDefinition,
    stored: Sandbox | null,
  ): Promise<Sandbox> => {
    if (stored !== null) return await moveTo(stored, stateOf(stored, 'starting', definition));
    const nowMs = clock.nowMs();
    const sandbox: Sandbox = {
      id: newResourceId(clock, randomness),
      workspaceId: workspace.id,
      name,
      definition,
      template: definition.image,
      labels: {},
      egress: { mode: 'deny_all' },
      volumes: [],
      fromSnapshot: null,
      lifetime: endlessLifetime,
      snapshotSchedule: null,
      createdByKey: null,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
      lastActivityAtMs: nowMs,
      pausedAtMs: null,
      state: 'starting',
    };
    quota.enter(sandbox.id, workspace.id);
    try {
      await storage.sandboxes.insert(sandbox);
    } catch (error) {
      quota.leave(sandbox.id);
      throw error;
    }
    return sandbox;
  };

  /** Ends a sandbox's record when it ends by itself; `stop` does its own book-keeping. */
  const watch = (sandbox: Sandbox, live: EngineSandbox): void => {
    live.exited
      .then(async (reason) => {
        if (running.get(sandbox.id) === live) running.delete(sandbox.id);
        if (reason !== 'ended') return;
        await inTurn(turnOf(sandbox.workspaceId, sandbox.name), async () => {
          const current = await storage.sandboxes.findById(sandbox.id);
          if (current?.state !== 'ready' || running.has(sandbox.id)) return;
          await moveTo(current, stateOf(current, 'stopped'));
        });
      })
      .catch((error: unknown) => dependencies.onBackgroundError(error, sandbox));
  };

  const launch = async (sandbox: Sandbox): Promise<Sandbox> => {
    if (running.size + starting.size >= policy.maxSandboxes) {
      throw new SandgateError(
        'capacity_exceeded',
        `This server runs ${policy.maxSandboxes} sandboxes at most. Stop one, or ask the operator to raise maxSandboxes`,
      );
    }
    starting.add(sandbox.id);
    try {
      const { definition } = sandbox;
      const live = await engine.start({
        id: sandbox.id,
        hostname: sandbox.name,
        image: definition.image,
        resources: definition.resources,
        environment: definition.environment,
        workdir: definition.workdir,
        mounts: definition.mounts,
        scripts: definition.scripts,
      });
      running.set(sandbox.id, live);
      const ready = await moveTo(sandbox, stateOf(sandbox, 'ready'));
      watch(ready, live);
      runMainCommand(ready, live);
      return ready;
    } finally {
      starting.delete(sandbox.id);
    }
  };

  /** The command given at the start, or the `start` script. It runs beside everything else. */
  const runMainCommand = (sandbox: Sandbox, live: EngineSandbox): void => {
    const { shell, exec, scripts } = sandbox.definition;
    const line = exec ?? ('start' in scripts ? '/.sandbox/scripts/start' : null);
    if (line === null) return;
    live
      .exec({
        argv: [shell, '-c', line],
        onOutput: (chunk) => dependencies.onMainOutput(chunk, sandbox),
      })
      .catch((error: unknown) => dependencies.onBackgroundError(error, sandbox));
  };

  /** A sandbox that ended a moment ago, before its watcher could say so. */
  const bury = async (sandbox: Sandbox, live: EngineSandbox): Promise<Sandbox> => {
    await live.exited;
    running.delete(sandbox.id);
    return sandbox.state === 'ready' ? await moveTo(sandbox, stateOf(sandbox, 'stopped')) : sandbox;
  };

  const startOne = async (
    workspace: Workspace,
    name: string,
    requested: RequestedSandbox | null,
  ): Promise<Sandbox> => {
    const found = await storage.sandboxes.findByName(workspace.id, name);
    const live = found === null ? undefined : running.get(found.id);
    const alive = live !== undefined && (await isAlive(live));
    if (found !== null && alive && requested === null) return found;
    const definition = buildDefinition(requested ?? {}, found?.definition ?? null, policy);
    if (found !== null && alive) {
      if (sameDefinition(found.definition, definition)) return found;
      throw new SandgateError(
        'sandbox_busy',
        `Sandbox '${name}' is running with another configuration. Stop it first, then start it anew`,
      );
    }
    const stored = live === undefined || found === null ? found : await bury(found, live);
    const sandbox = await enter(workspace, name, definition, stored);
    try {
      return await launch(sandbox);
    } catch (error) {
      const failure = error instanceof SandgateError ? error.message : 'The engine failed';
      // What was asked for in vain is not kept: the next start without a request uses what worked.
      const last = stored?.definition ?? definition;
      const failed = await moveTo(sandbox, {
        ...stateOf(sandbox, 'starting', last),
        state: 'failed' as const,
        failure,
      });
      if (stored === null) {
        const destroyedAtMs = clock.nowMs();
        await moveTo(failed, {
          ...stateOf(failed, 'stopped'),
          state: 'destroyed',
          destroyedAtMs,
          destroyReason: 'failed',
        });
      }
      throw error;
    }
  };

  const start: Sandboxes['start'] = async (workspace, name, requested, { signal } = {}) => {
    const stored = await storage.sandboxes.findByName(workspace.id, name);
    const before = await startOrder(
      name,
      requested?.dependsOn ?? stored?.definition.dependsOn ?? [],
      async (dependency) => (await find(workspace, dependency)).definition.dependsOn,
    );
    const startInTurn = (each: string, wanted: RequestedSandbox | null) =>
      inTurn(turnOf(workspace.id, each), async () => {
        requireWaiting(signal);
        return await startOne(workspace, each, wanted);
      });
    for (const dependency of before) await startInTurn(dependency, null);
    return await startInTurn(name, requested);
  };

  const stop = async (workspace: Workspace, reference: string): Promise<Sandbox> => {
    const { name } = await find(workspace, reference);
    return await inTurn(turnOf(workspace.id, name), async () => {
      const sandbox = await find(workspace, name);
      const live = running.get(sandbox.id);
      if (live === undefined) return sandbox;
      const stopping = await moveTo(sandbox, stateOf(sandbox, 'stopping'));
      const layer = quota.countLayer(sandbox.id, workspace.id);
      let kept = false;
      try {
        await live.stop({ onLayerBytes: layer.add });
        kept = true;
        return await moveTo(stopping, stateOf(stopping, 'stopped'));
      } catch (error) {
        const failure = 'The files of the last run could not be kept';
        await moveTo(stopping, { ...stateOf(stopping, 'stopped'), state: 'failed', failure });
        throw error;
      } finally {
        layer.end(kept);
        running.delete(sandbox.id);
      }
    });
  };

  const destroy = async (workspace: Workspace, reference: string): Promise<Sandbox> => {
    const { name } = await find(workspace, reference);
    return await inTurn(turnOf(workspace.id, name), async () => {
      const found = await find(workspace, name);
      const live = running.get(found.id);
      let sandbox = found;
      if (live !== undefined) {
        const stopping = await moveTo(found, stateOf(found, 'stopping'));
        await live.stop({ keepLayer: false }).finally(() => running.delete(found.id));
        sandbox = await moveTo(stopping, stateOf(stopping, 'stopped'));
      }
      // The record first: files without a sandbox are found by `reconcile`, one without files by nobody.
      const destroyedAtMs = clock.nowMs();
      const destroyed = await moveTo(sandbox, {
        ...stateOf(sandbox, 'stopped'),
        state: 'destroyed' as const,
        destroyedAtMs,
        destroyReason: 'user' as const,
      });
      await engine.removeLayer(found.id);
      quota.leave(found.id);
      await dependencies.onDestroyed?.(destroyed);
      return destroyed;
    });
  };

  const readOne = async (sandbox: Sandbox, workspace: Workspace): Promise<SandboxReading> => {
    const live = running.get(sandbox.id);
    if (live === undefined) return { sandbox, workspace, running: false, metrics: null };
    return { sandbox, workspace, ...(await readMetrics(live)) };
  };

  return {
    ...unbuilt,
    start,
    stop,
    destroy,
    find,
    async exec(workspace, name, request) {
      return await (await findRunning(workspace, name)).exec(request);
    },
    async runCode(workspace, name, language, request) {
      return await (await findRunning(workspace, name)).kernel(language).run(request);
    },
    async read(workspace, name) {
      if (workspace !== null && name !== undefined) {
        return [await readOne(await find(workspace, name), workspace)];
      }
      const workspaces = workspace === null ? await storage.workspaces.list() : [workspace];
      const byId = new Map(workspaces.map((each) => [each.id, each]));
      const sandboxes = await storage.sandboxes.list(workspace?.id);
      return await Promise.all(
        sandboxes
          .filter((sandbox) => name === undefined || sandbox.name === name)
          .flatMap((sandbox) => {
            const owner = byId.get(sandbox.workspaceId);
            return owner === undefined ? [] : [readOne(sandbox, owner)];
          }),
      );
    },
    runningCount: () => running.size,
    async reconcile() {
      await engine.reconcile();
      await storage.sandboxes.markAllStopped(clock.nowMs());
      const layers = await engine.layerSizes();
      for (const { id, workspaceId } of await storage.sandboxes.list()) {
        quota.load(id, workspaceId, layers.get(id) ?? 0);
      }
      for (const id of layers.keys()) {
        const owner = await storage.sandboxes.findById(id);
        if (owner?.state === 'destroyed') await engine.removeLayer(id);
      }
    },
    async close() {
      await Promise.all(
        [...running.keys()].map(async (id) => {
          const sandbox = await storage.sandboxes.findById(id);
          const workspace =
            sandbox === null ? null : await storage.workspaces.findById(sandbox.workspaceId);
          if (sandbox === null || workspace === null) return;
          await stop(workspace, sandbox.name).catch((error: unknown) =>
            dependencies.onBackgroundError(error, sandbox),
          );
        }),
      );
      await engine.close();
    },
  };
}

const turnOf = (workspaceId: string, name: string): string => `${workspaceId}/${name}`;

/** Everything but the state and what belongs to it. */
function identityOf(sandbox: Sandbox): SandboxFacts {
  const { id, workspaceId, name, definition, template, labels, egress, volumes } = sandbox;
  const { fromSnapshot, lifetime, snapshotSchedule, createdByKey, createdAtMs } = sandbox;
  const { updatedAtMs, lastActivityAtMs, pausedAtMs } = sandbox;
  return {
    id,
    workspaceId,
    name,
    definition,
    template,
    labels,
    egress,
    volumes,
    fromSnapshot,
    lifetime,
    snapshotSchedule,
    createdByKey,
    createdAtMs,
    updatedAtMs,
    lastActivityAtMs,
    pausedAtMs,
  };
}
