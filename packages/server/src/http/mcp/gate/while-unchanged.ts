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
  const ask = async () => {
    const server = (await find(name))?.server;
    return server?.id === id && server.updatedAtMs === updatedAtMs ? null : changed();
  };
  // It was looked up before the body of the request was read, which takes as long as a client likes.
  const refusal = await ask();
  if (refusal !== null) throw refusal;
  access?.watch((refused) => cut.abort(refused));
  const unwatch = openStreams.watch({
    key: () => `${id} ${updatedAtMs}`,
    ask,
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
