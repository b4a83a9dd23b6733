import type { McpServerStore, PlacedMcpServer } from '../port/mcp-server-store.ts';
import type { TextSealer } from '../port/text-sealer.ts';
import type { McpServer } from './mcp-server.ts';

/** The same store, in which environments of commands are at rest only as what the sealer makes of them. */
export function sealCommandEnvironments(store: McpServerStore, sealer: TextSealer): McpServerStore {
  const seal = (server: McpServer): McpServer => {
    const { upstream } = server;
    if (upstream.kind === 'url' || Object.keys(upstream.environment).length === 0) return server;
    const { sealed, serverKeyVersion } = sealer.seal(
      JSON.stringify(upstream.environment),
      aboutOf(server),
    );
    const text = Buffer.from(sealed).toString('base64');
    const atRest = { text, keyVersion: serverKeyVersion };
    return { ...server, upstream: { ...upstream, environment: {}, sealed: atRest } };
  };
  const open = (server: McpServer): McpServer => {
    const { upstream } = server;
    if (upstream.kind === 'url' || upstream.sealed === undefined) return server;
    const { sealed, ...plain } = upstream;
    const opened = sealer.open(
      { sealed: Buffer.from(sealed.text, 'base64'), serverKeyVersion: sealed.keyVersion },
      aboutOf(server),
    );
    // It is kept as it is: the key that it opens under may come back.
    if (opened === null) return server;
    return { ...server, upstream: { ...plain, environment: JSON.parse(opened) } };
  };
  const openOrNull = (server: McpServer | null) => (server === null ? null : open(server));
  const openPlaced = (placed: PlacedMcpServer): PlacedMcpServer => {
    const server = open(placed.server);
    return server === placed.server ? placed : { ...placed, server };
  };
  return {
    insert: (server, ...rest) => store.insert(seal(server), ...rest),
    async findByName(name) {
      const placed = await store.findByName(name);
      return placed === null ? null : openPlaced(placed);
    },
    list: async (...given) => (await store.list(...given)).map(open),
    change: async (workspaceId, name, change, record) =>
      openOrNull(
        await store.change(workspaceId, name, (stored) => seal(change(open(stored))), record),
      ),
    remove: async (...given) => openOrNull(await store.remove(...given)),
  };
}

/** Bound to what it is of: the environment of one server opens in no other's record. */
const aboutOf = ({ id }: Pick<McpServer, 'id'>): string => `environment of MCP server ${id}`;
