import { Argument, type Command } from 'commander';
import { apiPath } from '../api-client.ts';
import { addExamples } from '../examples.ts';
import { findServer } from '../find-server.ts';
import { mcpConfigurations } from '../mcp-configurations.ts';
import type { Terminal } from '../terminal.ts';
import { addMcpServers } from './mcp-servers.ts';

interface GatedOption {
  readonly server?: string;
}

/** Path of the sandboxes' own door, or of a server behind the gate. */
const doorOf = ({ server }: GatedOption): string =>
  server === undefined ? 'mcp' : apiPath`mcp/servers/${server}`;

export function addMcp(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('mcp')
    .description(
      'Serve the sandboxes of a server to a client of MCP, over standard input and output. The server and the key are those of MSB_SERVER_URL and MSB_API_KEY.',
    )
    .option('--server <name>', 'serve an MCP server behind the gate instead of sandboxes')
    .action(async (options: GatedOption) => {
      const server = await findServer(terminal, doorOf(options));
      // Only this command is worth the time that it takes to load them.
      const [{ StdioServerTransport }, { bridgeMcp }] = await Promise.all([
        import('@modelcontextprotocol/server/stdio'),
        import('../mcp-bridge.ts'),
      ]);
      await bridgeMcp(new StdioServerTransport(), server);
    });
  const config = command
    .command('config')
    .description('Print what to give a client of MCP, for it to find this server.')
    .addArgument(new Argument('<client>', 'client').choices(Object.keys(mcpConfigurations)))
    .option('--server <name>', 'for an MCP server behind the gate instead of sandboxes')
    .action(async (client: string, options: GatedOption) => {
      const chosen = mcpConfigurations[client];
      if (chosen === undefined) return;
      const { url } = await findServer(terminal, doorOf(options));
      terminal.note(`For ${chosen.file}:`);
      terminal.print(JSON.stringify(chosen.json(url, options.server ?? null), null, 2));
    });
  addExamples(
    config,
    'msb mcp config claude-code',
    'msb mcp config vscode > .vscode/mcp.json',
    'msb mcp config cursor --server github',
  );
  addMcpServers(command, terminal);
}
