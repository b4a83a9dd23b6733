import { appendFile, mkdir, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SandboxLogStore } from '@sandgate/core';

const maxBytes = 10 * 1024 * 1024;

export const sandboxLogPath = (home: string, sandboxId: string): string =>
  join(home, 'logs', 'sandboxes', `${sandboxId}.log`);

/** One file for each sandbox, up to `maxBytes`. */
export function createSandboxLogs(home: string): SandboxLogStore {
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
    async read(sandboxId, request) {
      const path = sandboxLogPath(home, sandboxId);
      const endByte = await sizeOf(path);
      const wanted = request.fromByte < 0 ? endByte + request.fromByte : request.fromByte;
      const fromByte = Math.min(Math.max(0, wanted), endByte);
      const data = await readPart(path, fromByte, Math.min(request.maxBytes, endByte - fromByte));
      return { data, fromByte, toByte: fromByte + data.byteLength, endByte };
    },
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

async function readPart(path: string, fromByte: number, length: number): Promise<Buffer> {
  if (length <= 0) return Buffer.alloc(0);
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, fromByte);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
