import { type McpServer, SandgateError } from '@sandgate/core';
import type { Access } from '../../authorize/authorizer.ts';
import type { Gate } from './mount-gate.ts';

/**
 * Runs work that may take hours, until its end or until it is cut by its signal: when its server was
 * changed, or its caller may use it no longer. `access` is null where the server asks for no key.
 */
export async function whileUnchanged<Result>(
  { find, openStreams }: Pick<Gate, 'find' | 'openStreams'>,
  { id, name, updatedAtMs }: McpServer,
  access: Access | null,
  work: (cut: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const cut = new AbortController();
  access?.watch((refusal) => cut.abort(refusal));
  const unwatch = openStreams.watch({
    key: () => `${id} ${updatedAtMs}`,
    async ask() {
      const server = (await find(name))?.server;
      return server?.id === id && server.updatedAtMs === updatedAtMs ? null : changed();
    },
    cut: (reason) => cut.abort(reason),
  });
  try {
    return await work(cut.signal);
  } finally {
    unwatch();
  }
}

const changed = (): SandgateError =>
  new SandgateError('upstream_failed', 'The MCP server was changed or removed. Call again');
