import { appendFile, mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What the main commands of sandboxes write: one file each, up to `maxBytes`. */
export interface SandboxLogs {
  /** Resolves when it is written. Never rejects for a full log: what is beyond the bound is dropped. */
  append(sandboxId: string, data: Buffer): Promise<void>;
  /** After what is being written now. */
  remove(sandboxId: string): Promise<void>;
}

const maxBytes = 10 * 1024 * 1024;

export const sandboxLogPath = (home: string, sandboxId: string): string =>
  join(home, 'logs', 'sandboxes', `${sandboxId}.log`);

export function createSandboxLogs(home: string): SandboxLogs {
  const sizes = new Map<string, number>();
  const tails = new Map<string, Promise<void>>();

  const write = async (sandboxId: string, data: Buffer): Promise<void> => {
    const path = sandboxLogPath(home, sandboxId);
    const size = sizes.get(sandboxId) ?? (await sizeOf(path));
    const kept = data.subarray(0, Math.max(0, maxBytes - size));
    sizes.set(sandboxId, size + kept.byteLength);
    if (kept.byteLength === 0) return;
    await mkdir(join(home, 'logs', 'sandboxes'), { recursive: true, mode: 0o700 });
    await appendFile(path, kept, { mode: 0o600 });
  };

  const inTurn = (sandboxId: string, work: () => Promise<void>): Promise<void> => {
    const tail = (tails.get(sandboxId) ?? Promise.resolve())
      .catch(() => undefined)
      .then(work)
      .finally(() => {
        if (tails.get(sandboxId) === tail) tails.delete(sandboxId);
      });
    tails.set(sandboxId, tail);
    return tail;
  };

  return {
    append: (sandboxId, data) => inTurn(sandboxId, () => write(sandboxId, data)),
    remove: (sandboxId) =>
      inTurn(sandboxId, async () => {
        sizes.delete(sandboxId);
        await rm(sandboxLogPath(home, sandboxId), { force: true });
      }),
  };
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}
