import type { LogPart, SandboxLogStore } from '../port/sandbox-log-store.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type { SandboxParts } from './sandbox-parts.ts';
import type { Sandboxes } from './sandboxes.ts';

const partBytes = 65_536;

export interface SandboxLogReader extends Pick<Sandboxes, 'readLog' | 'followLog'> {
  /** The store, which tells whoever follows of what is appended. */
  readonly logs: SandboxLogStore;
  /** The sandbox runs no more, and writes no more. */
  end(sandboxId: string): void;
}

export function createLogReader(
  logs: SandboxLogStore,
  parts: Pick<SandboxParts, 'live'> & { readonly records: () => SandboxParts['records'] },
): SandboxLogReader {
  const followers = new Map<string, Set<() => void>>();
  const wakeAll = (sandboxId: string): void => {
    for (const wake of followers.get(sandboxId) ?? []) wake();
  };

  async function* follow(
    workspace: Workspace,
    reference: string,
    { fromByte, signal }: { readonly fromByte: number; readonly signal: AbortSignal },
  ): AsyncGenerator<LogPart> {
    const { id } = await parts.records().find(workspace, reference);
    let at = fromByte;
    let hasMore = true;
    let wake: () => void = () => undefined;
    const waker = () => {
      hasMore = true;
      wake();
    };
    const mine = followers.get(id) ?? new Set();
    followers.set(id, mine.add(waker));
    signal.addEventListener('abort', waker);
    try {
      while (!signal.aborted) {
        hasMore = false;
        // Before reading, so that what was written last is read.
        const isLive = parts.live.has(id);
        const part = await logs.read(id, { fromByte: at, maxBytes: partBytes });
        at = part.toByte;
        if (part.data.byteLength > 0) {
          yield part;
          continue;
        }
        if (!isLive) return;
        if (hasMore) continue;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      mine.delete(waker);
      if (mine.size === 0) followers.delete(id);
      signal.removeEventListener('abort', waker);
    }
  }

  return {
    logs: {
      ...logs,
      async append(sandboxId, data) {
        await logs.append(sandboxId, data);
        wakeAll(sandboxId);
      },
    },
    end: wakeAll,
    async readLog(workspace, reference, request) {
      const { id } = await parts.records().find(workspace, reference);
      return await logs.read(id, request);
    },
    followLog: follow,
  };
}
