import { SandgateError } from '../error/sandgate-error.ts';
import type { EngineSandbox } from '../port/engine.ts';
import { newResourceId } from '../port/resource-id.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { withoutSecrets } from './compose-sandbox.ts';
import { Deadlines } from './deadlines.ts';
import { findSnapshot } from './find-snapshot.ts';
import type { Sandbox } from './sandbox.ts';
import type { SandboxAdmission } from './sandbox-admission.ts';
import type { SandboxParts } from './sandbox-parts.ts';
import type { Sandboxes } from './sandboxes.ts';
import {
  artifactName,
  type Snapshot,
  type SnapshotRequest,
  type SnapshotState,
} from './snapshot.ts';
import { inSandboxTurn } from './stop-sandbox.ts';
import { tellInLog } from './tell-in-log.ts';
import { notRunning } from './use-sandbox.ts';
import { waitForEvent } from './wait-for-event.ts';

type SnapshotMethods = Pick<
  Sandboxes,
  'createSnapshot' | 'findSnapshot' | 'waitForSnapshot' | 'listSnapshots' | 'deleteSnapshot'
>;

export interface SnapshotKeeper extends SnapshotMethods {
  /** As `createSnapshot` does, by the schedule; older automatic ones over its bound are deleted. */
  createScheduled(workspace: Workspace, sandboxId: string): Promise<Snapshot>;
  /** Makes the records agree with what the engine has stored. */
  reconcile(): Promise<void>;
  /** Resolves when nothing is being made any more. */
  close(): Promise<void>;
}

interface KeeperParts extends SandboxParts {
  readonly admission: SandboxAdmission;
}

const lostReason = 'The server stopped while it was being made';

export function createSnapshotKeeper(parts: KeeperParts): SnapshotKeeper {
  const { storage, engine, clock, admission } = parts;
  /** What is being made, by the sandbox's id. */
  const inProgress = new Map<
    string,
    { readonly snapshotId: string; readonly done: Promise<void> }
  >();
  const expiries = new Deadlines(parts, (id) => void expire(id));

  const announce = (snapshot: Snapshot, state: SnapshotState | 'deleted'): void => {
    const { id: snapshotId, sandboxId, name } = snapshot;
    parts.events.publish(snapshot.workspaceId, {
      ...{ kind: 'snapshot.state', snapshotId, sandboxId, name, state },
    });
  };

  const settle = async (snapshot: Snapshot): Promise<void> => {
    // Whoever is told that it is there may ask for another one at once.
    inProgress.delete(snapshot.sandboxId);
    await parts.settler.settle(
      async () => {
        // One that was deleted meanwhile is not there any more. Nobody hears of what cannot be found yet.
        if (await storage.snapshots.update(snapshot)) announce(snapshot, snapshot.state);
      },
      (error) => parts.onBackgroundError(error, snapshot),
    );
  };

  /** In the turn of its sandbox, so that nothing else is done to it meanwhile. */
  const take = async (snapshot: Snapshot, running: EngineSandbox): Promise<Snapshot> => {
    const layer = admission.countSnapshot(snapshot);
    let kept = false;
    try {
      if (running.snapshot === undefined) throw noSnapshots();
      const { sizeBytes } = await running.snapshot(snapshot.id, {
        onBytes: layer.add,
        onLeftOut: (sentence) =>
          tellInLog(parts, { id: snapshot.sandboxId, workspaceId: snapshot.workspaceId }, sentence),
      });
      kept = true;
      layer.end(kept);
      return { ...snapshot, state: 'ready', sizeBytes };
    } catch (error) {
      if (!kept) layer.end(false);
      admission.drop(snapshot.id);
      parts.onBackgroundError(error, snapshot);
      const failureReason =
        error instanceof SandgateError ? error.message : 'The engine could not store it';
      return { ...snapshot, state: 'failed', failureReason };
    }
  };

  const requireIdle = (sandboxId: string): void => {
    if (!inProgress.has(sandboxId)) return;
    throw new SandgateError(
      'sandbox_busy',
      'A snapshot of this sandbox is being made already. Wait until it is ready',
    );
  };

  const begin = async (
    workspace: Workspace,
    sandbox: Sandbox,
    request: SnapshotRequest & { readonly automatic: boolean },
  ): Promise<Snapshot> => {
    const running = parts.live.get(sandbox.id);
    if (running === undefined) throw notRunning(sandbox);
    if (running.snapshot === undefined || engine.snapshots === undefined) throw noSnapshots();
    requireIdle(sandbox.id);
    const nowMs = clock.nowMs();
    const snapshot: Snapshot = {
      id: newResourceId(clock, parts.randomness),
      workspaceId: workspace.id,
      sandboxId: sandbox.id,
      name: request.name ?? defaultName(request.automatic ? 'auto' : 'snapshot', nowMs),
      template: sandbox.template,
      definition: withoutSecrets(sandbox.definition),
      automatic: request.automatic,
      createdAtMs: nowMs,
      expiresAtMs: request.expiresAtMs ?? null,
      state: 'creating',
    };
    admission.keep(snapshot.id, { snapshots: 1 }, workspace, await parts.caller());
    try {
      await storage.snapshots.insert(snapshot);
    } catch (error) {
      admission.drop(snapshot.id);
      throw error;
    }
    announce(snapshot, 'creating');
    if (snapshot.expiresAtMs !== null) expiries.set(snapshot.id, snapshot.expiresAtMs);
    const done = parts
      .inTurn(sandbox.id, async () => await settle(await take(snapshot, running)))
      .then(() => prune(workspace, sandbox.id))
      .catch((error: unknown) => parts.onBackgroundError(error, snapshot));
    inProgress.set(sandbox.id, { snapshotId: snapshot.id, done });
    return snapshot;
  };

  const create = async (
    workspace: Workspace,
    reference: string,
    request: SnapshotRequest & { readonly automatic: boolean },
  ): Promise<Snapshot> => {
    // Also before its turn, which one that is being made has.
    requireIdle((await parts.records.find(workspace, reference)).id);
    return await inSandboxTurn(parts, workspace, reference, (sandbox) =>
      begin(workspace, sandbox, request),
    );
  };

  const remove = async (snapshot: Snapshot): Promise<void> => {
    // The files first: a record without them is found by `reconcile`, and files of an unknown id are
    // left alone, since the database may be an older copy.
    await engine.snapshots?.remove(snapshot.id);
    await storage.snapshots.remove(snapshot.id);
    admission.drop(snapshot.id);
    expiries.set(snapshot.id, null);
    announce(snapshot, 'deleted');
  };

  /** Deletes the oldest automatic snapshots of a sandbox over what its schedule keeps. */
  const prune = async (workspace: Workspace, sandboxId: string): Promise<void> => {
    const schedule = (await parts.records.byId(sandboxId))?.snapshotSchedule ?? null;
    if (schedule === null) return;
    const filter = { sandboxId, state: 'ready', automatic: true } as const;
    for (;;) {
      const page = { limit: 100, offset: schedule.keep };
      const { items } = await storage.snapshots.page(workspace.id, filter, page);
      if (items.length === 0) return;
      for (const snapshot of items) await remove(snapshot);
    }
  };

  /** What is removed while it is being made would leave files behind that nobody knows of. */
  const whenMade = async ({ id, sandboxId }: Pick<Snapshot, 'id' | 'sandboxId'>): Promise<void> => {
    const making = inProgress.get(sandboxId);
    if (making?.snapshotId === id) await making.done;
  };

  const expire = async (id: string): Promise<void> => {
    try {
      const found = await storage.snapshots.findById(id);
      if (found === null) return;
      await whenMade(found);
      const snapshot = await storage.snapshots.findById(id);
      if (snapshot !== null) await remove(snapshot);
    } catch (error) {
      parts.onBackgroundError(error, { id, workspaceId: '' });
      expiries.set(id, clock.nowMs() + 1_000);
    }
  };

  return {
    async createSnapshot(workspace, reference, request) {
      const { name, expiresAtMs = null } = request;
      if (name !== undefined && !artifactName.test(name)) {
        throw new SandgateError(
          'invalid_request',
          'The name of a snapshot is 1 to 40 characters of a-z, 0-9 and hyphens',
        );
      }
      if (expiresAtMs !== null && expiresAtMs <= clock.nowMs()) {
        throw new SandgateError('invalid_request', 'A snapshot cannot expire in the past');
      }
      return await create(workspace, reference, { ...request, automatic: false });
    },
    createScheduled: (workspace, sandboxId) => create(workspace, sandboxId, { automatic: true }),
    findSnapshot: (workspace, snapshotId) => findSnapshot(parts, workspace, snapshotId),
    async waitForSnapshot(workspace, snapshotId, { timeoutMs, signal }) {
      return await waitForEvent(parts, {
        look: () => findSnapshot(parts, workspace, snapshotId),
        isDone: ({ state }) => state !== 'creating',
        concerns: (event) => event.kind === 'snapshot.state' && event.snapshotId === snapshotId,
        timeoutMs,
        signal,
      });
    },
    listSnapshots: (workspace, filter, page) => storage.snapshots.page(workspace.id, filter, page),
    async deleteSnapshot(workspace, snapshotId) {
      await whenMade(await findSnapshot(parts, workspace, snapshotId));
      const snapshot = await findSnapshot(parts, workspace, snapshotId);
      await remove(snapshot);
      return snapshot;
    },
    async reconcile() {
      const sizes = (await engine.snapshots?.sizes()) ?? new Map<string, number>();
      for (const snapshot of await storage.snapshots.list()) {
        const sizeBytes = sizes.get(snapshot.id);
        if (snapshot.state === 'creating') {
          // Also where its files are there: nobody can tell whether they are whole.
          await parts.settler.settle(
            async () => await engine.snapshots?.remove(snapshot.id),
            (error) => parts.onBackgroundError(error, snapshot),
          );
          await settle({ ...snapshot, state: 'failed', failureReason: lostReason });
          continue;
        }
        if (snapshot.state === 'failed') continue;
        if (sizeBytes === undefined) {
          const failureReason = 'Its files are gone from the disk of the server';
          await settle({ ...snapshot, state: 'failed', failureReason });
          continue;
        }
        admission.loadSnapshot(snapshot, sizeBytes);
        if (snapshot.expiresAtMs !== null) expiries.set(snapshot.id, snapshot.expiresAtMs);
      }
    },
    async close() {
      expiries.close();
      await Promise.all([...inProgress.values()].map(({ done }) => done));
    },
  };
}

const noSnapshots = (): SandgateError =>
  new SandgateError(
    'capability_missing',
    'This server has no snapshots. Run msb doctor to see what is missing',
  );

/** As in `auto-20300102t030405678z`: sorts by time, and nothing else is called so. */
const defaultName = (prefix: string, nowMs: number): string =>
  `${prefix}-${new Date(nowMs).toISOString().replace(/[-:.]/g, '').toLowerCase()}`;
