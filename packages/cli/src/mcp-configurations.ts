/** One client of MCP: the file that it reads, and what to put there. */
export interface McpConfiguration {
  readonly file: string;
  readonly json: (server: URL) => object;
}

/** With a placeholder that the client fills in. */
const bearer = (placeholder: string) => ({ Authorization: `Bearer \${${placeholder}}` });

/** None holds a key: each client has its own way to be given one. */
export const mcpConfigurations: Readonly<Record<string, McpConfiguration>> = {
  'claude-desktop': {
    file: 'claude_desktop_config.json (Settings, Developer, Edit Config), with your API key in place',
    json: (server) => ({
      mcpServers: {
        sandgate: {
          command: 'msb',
          args: ['mcp'],
          env: { MSB_SERVER_URL: server.origin, MSB_API_KEY: 'your API key' },
        },
      },
    }),
  },
  'claude-code': {
    file: '.mcp.json in your project; it reads the key from the variable MSB_API_KEY',
    json: (server) => ({
      mcpServers: {
        sandgate: { type: 'http', url: server.href, headers: bearer('MSB_API_KEY') },
      },
    }),
  },
  cursor: {
    file: '.cursor/mcp.json in your project or home; it reads the key from the variable MSB_API_KEY',
    json: (server) => ({
      mcpServers: {
        sandgate: { url: server.href, headers: bearer('env:MSB_API_KEY') },
      },
    }),
  },
  vscode: {
    file: '.vscode/mcp.json in your project; it asks for the key and keeps it',
    json: (server) => ({
      inputs: [
        {
          type: 'promptString',
          id: 'sandgate-key',
          description: 'Sandgate API key',
          password: true,
        },
      ],
      servers: {
        sandgate: { type: 'http', url: server.href, headers: bearer('input:sandgate-key') },
      },
    }),
  },
};
