import { Argument, type Command } from 'commander';
import { addExamples } from '../examples.ts';
import { findServer } from '../find-server.ts';
import { mcpConfigurations } from '../mcp-configurations.ts';
import type { Terminal } from '../terminal.ts';
import { addMcpServers } from './mcp-servers.ts';

const door = 'mcp';

export function addMcp(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('mcp')
    .description(
      'Serve the sandboxes of a server to a client of MCP, over standard input and output. The server and the key are those of MSB_SERVER_URL and MSB_API_KEY.',
    )
    .action(async () => {
      const server = await findServer(terminal, door);
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
    .action(async (client: string) => {
      const chosen = mcpConfigurations[client];
      if (chosen === undefined) return;
      const { url } = await findServer(terminal, door);
      terminal.note(`For ${chosen.file}:`);
      terminal.print(JSON.stringify(chosen.json(url), null, 2));
    });
  addExamples(config, 'msb mcp config claude-code', 'msb mcp config vscode > .vscode/mcp.json');
  addMcpServers(command, terminal);
}
