import type { SandboxLogStore } from '@sandgate/core';

/** Logs of sandboxes that are kept in memory, for tests of what lies above them. */
export function createMemoryLogs(): SandboxLogStore {
  const logs = new Map<string, Buffer>();
  return {
    async append(sandboxId, data) {
      logs.set(sandboxId, Buffer.concat([logs.get(sandboxId) ?? Buffer.alloc(0), data]));
    },
    async read(sandboxId, { fromByte, maxBytes }) {
      const log = logs.get(sandboxId) ?? Buffer.alloc(0);
      const wanted = fromByte < 0 ? log.byteLength + fromByte : fromByte;
      const begin = Math.min(Math.max(0, wanted), log.byteLength);
      const data = log.subarray(begin, begin + maxBytes);
      const toByte = begin + data.byteLength;
      return { data, fromByte: begin, toByte, endByte: log.byteLength };
    },
    async remove(sandboxId) {
      logs.delete(sandboxId);
    },
  };
}
