import type { AuditLog } from '../audit/audit-log.ts';
import type { Clock } from '../port/clock.ts';
import type { ClosedWorkspace, Storage } from '../port/storage.ts';
import type { Timers } from '../port/timers.ts';
import type { Sandboxes } from '../sandbox/sandboxes.ts';
import { workspaceFacts } from './workspace.ts';

export interface WorkspacePurge {
  /** Begins at once with what is closed now. */
  purgeClosed(): void;
  /** Resolves when nothing of it runs any more. */
  close(): Promise<void>;
}

const everyMs = 60_000;
/** Longer than any call that was accepted while the workspace was open can still take to start something. */
const settledAfterMs = 900_000;
/** More than a workspace may have. */
const mostServers = 1_000;

/**
 * Destroys the sandboxes of closed workspaces, their snapshots and volumes, with all files, and gives the
 * names of their MCP servers free. What is left is the record: revoked keys, usage, audit. What fails is tried again: nobody can reach it meanwhile.
 */
export function startWorkspacePurge(parts: {
  readonly storage: Storage;
  readonly sandboxes: Pick<Sandboxes, 'destroy' | 'deleteSnapshot' | 'deleteVolume'>;
  readonly auditLog: Pick<AuditLog, 'record'>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly onError: (error: unknown) => void;
}): WorkspacePurge {
  const { storage, sandboxes, auditLog, clock, timers, onError } = parts;
  let running: Promise<void> = Promise.resolve();
  let cancel: () => void = () => undefined;
  let closed = false;

  const purgeOne = async ({ workspace, closedAtMs }: ClosedWorkspace): Promise<void> => {
    for (const { id } of await storage.sandboxes.list(workspace.id)) {
      await sandboxes.destroy(workspace, id);
    }
    const isOwn = ({ workspaceId }: { readonly workspaceId: string }) =>
      workspaceId === workspace.id;
    for (const { id } of (await storage.snapshots.list()).filter(isOwn)) {
      await sandboxes.deleteSnapshot(workspace, id);
    }
    for (const { id } of (await storage.volumes.list()).filter(isOwn)) {
      await sandboxes.deleteVolume(workspace, id);
    }
    for (const { name } of await storage.mcpServers.list(workspace.id, { limit: mostServers })) {
      await storage.mcpServers.remove(workspace.id, name);
    }
    for (const { id } of await storage.images.list(workspace.id)) {
      await storage.images.remove(workspace.id, id);
    }
    for (const { id } of await storage.registries.list(workspace.id)) {
      await storage.registries.remove(workspace.id, id);
    }
    // A start that had passed its check before the end may still bring one up.
    if (clock.nowMs() - closedAtMs < settledAfterMs) return;
    await storage.workspaces.markPurged(workspace.id, clock.nowMs());
    await auditLog.record({
      action: 'workspace.purge',
      actor: { kind: 'server' },
      ...workspaceFacts(workspace),
    });
  };
  const purge = async (): Promise<void> => {
    for (const each of await storage.workspaces.listClosed()) {
      if (closed) return;
      // One that fails, as where a disk does, must not keep the files of all others.
      await purgeOne(each).catch(onError);
    }
  };

  const run = (): void => {
    // One after another: two would destroy the same sandbox.
    running = running.then(purge).catch(onError);
  };
  const schedule = (delayMs: number): void => {
    cancel = timers.after(delayMs, () => {
      run();
      schedule(everyMs);
    });
  };
  schedule(0);

  return {
    purgeClosed: run,
    async close() {
      closed = true;
      cancel();
      await running;
    },
  };
}
