import type { McpUpstreams } from '@sandgate/core';

/** Each kind of MCP server with what reaches it. */
export const upstreamsByKind = (
  http: McpUpstreams,
  commands: Pick<McpUpstreams, 'send' | 'close'>,
): McpUpstreams => ({
  problem: http.problem,
  send: (server, request) =>
    (server.upstream.kind === 'url' ? http : commands).send(server, request),
  async close() {
    await commands.close();
    await http.close();
  },
});
