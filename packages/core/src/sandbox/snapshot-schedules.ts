import { SandgateError } from '../error/sandgate-error.ts';
import { Deadlines } from './deadlines.ts';
import type { Sandbox } from './sandbox.ts';
import type { SandboxParts } from './sandbox-parts.ts';
import type { SnapshotKeeper } from './snapshot-keeper.ts';

/** Makes snapshots of sandboxes at the times that their schedules name. */
export class SnapshotSchedules {
  readonly #parts: SandboxParts;
  readonly #keeper: Pick<SnapshotKeeper, 'createScheduled'>;
  readonly #deadlines: Deadlines;
  /** What each next time was computed from. */
  readonly #schedules = new Map<string, string>();

  constructor(parts: SandboxParts, keeper: Pick<SnapshotKeeper, 'createScheduled'>) {
    this.#parts = parts;
    this.#keeper = keeper;
    this.#deadlines = new Deadlines(parts, (id) => void this.#snapshot(id));
  }

  track({ id, state, snapshotSchedule }: Sandbox): void {
    const cron = state === 'destroyed' ? null : (snapshotSchedule?.cron ?? null);
    if (cron === null) {
      this.#schedules.delete(id);
      this.#deadlines.set(id, null);
      return;
    }
    // Another change of the sandbox does not put the next time off.
    if (this.#schedules.get(id) === cron) return;
    this.#schedules.set(id, cron);
    this.#plan(id, cron);
  }

  close(): void {
    this.#deadlines.close();
  }

  #plan(id: string, cron: string): void {
    const { nextCronMs, clock } = this.#parts;
    this.#deadlines.set(id, nextCronMs(cron, clock.nowMs()));
  }

  async #snapshot(id: string): Promise<void> {
    const cron = this.#schedules.get(id);
    if (cron !== undefined) this.#plan(id, cron);
    const { records, storage, onBackgroundError } = this.#parts;
    try {
      const sandbox = await records.byId(id);
      // One that does not run has not changed since.
      if (sandbox?.state !== 'ready') return;
      const workspace = await storage.workspaces.findById(sandbox.workspaceId);
      if (workspace !== null) await this.#keeper.createScheduled(workspace, id);
    } catch (error) {
      // One that is being made already will do.
      const busy = error instanceof SandgateError && error.code === 'sandbox_busy';
      if (!busy) onBackgroundError(error, { id, workspaceId: '' });
    }
  }
}
