import type { Workspace } from '../workspace/workspace.ts';
import { createMetricsReader } from './read-metrics.ts';
import type { Sandbox } from './sandbox.ts';
import type { SandboxParts } from './sandbox-parts.ts';
import type { Sandboxes, SandboxReading } from './sandboxes.ts';
import { waitForEvent } from './wait-for-event.ts';

export function createLooks(
  parts: SandboxParts,
): Pick<Sandboxes, 'find' | 'list' | 'wait' | 'read'> {
  const { records, live, storage } = parts;
  const readMetrics = createMetricsReader(parts.timers);

  const readOne = async (sandbox: Sandbox, workspace: Workspace): Promise<SandboxReading> => {
    const running = live.get(sandbox.id);
    if (running === undefined) return { sandbox, workspace, running: false, metrics: null };
    // It would not answer before it is resumed.
    if (sandbox.state === 'paused') return { sandbox, workspace, running: true, metrics: null };
    return { sandbox, workspace, ...(await readMetrics(running)) };
  };

  return {
    find: (workspace, reference, options) => records.find(workspace, reference, options),
    list: (workspace, filter, page) => records.page(workspace.id, filter, page),
    async wait(workspace, reference, { states, timeoutMs, signal }) {
      const { id } = await records.find(workspace, reference, { includeDestroyed: true });
      return await waitForEvent(parts, {
        look: () => records.find(workspace, id, { includeDestroyed: true }),
        isDone: ({ state }) => state === 'destroyed' || states.includes(state),
        concerns: (event) => event.kind === 'sandbox.state' && event.sandboxId === id,
        timeoutMs,
        signal,
      });
    },
    async read(workspace, reference) {
      if (workspace !== null && reference !== undefined) {
        return [await readOne(await records.find(workspace, reference), workspace)];
      }
      const workspaces = workspace === null ? await storage.workspaces.list() : [workspace];
      const byId = new Map(workspaces.map((each) => [each.id, each]));
      const sandboxes = await records.list(workspace?.id);
      return await Promise.all(
        sandboxes
          .filter(({ name }) => reference === undefined || name === reference)
          .flatMap((sandbox) => {
            const owner = byId.get(sandbox.workspaceId);
            return owner === undefined ? [] : [readOne(sandbox, owner)];
          }),
      );
    },
  };
}
