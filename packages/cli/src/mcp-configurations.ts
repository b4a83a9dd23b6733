/** One client of MCP: the file that it reads, and what to put there. */
export interface McpConfiguration {
  readonly file: string;
  /** `gated`: name of a server behind the gate, whose address is given; null for the sandboxes. */
  readonly json: (server: URL, gated: string | null) => object;
}

/** With a placeholder that the client fills in. */
const bearer = (placeholder: string) => ({ Authorization: `Bearer \${${placeholder}}` });

/** What a client calls a server that the operator has not named. */
const ownName = 'sandgate';

/** None holds a key: each client has its own way to be given one. */
export const mcpConfigurations: Readonly<Record<string, McpConfiguration>> = {
  'claude-desktop': {
    file: 'claude_desktop_config.json (Settings, Developer, Edit Config), with your API key in place',
    json: (server, gated) => ({
      mcpServers: {
        [gated ?? ownName]: {
          command: 'msb',
          args: ['mcp', ...(gated === null ? [] : ['--server', gated])],
          env: { MSB_SERVER_URL: server.origin, MSB_API_KEY: 'your API key' },
        },
      },
    }),
  },
  'claude-code': {
    file: '.mcp.json in your project; it reads the key from the variable MSB_API_KEY',
    json: (server, gated) => ({
      mcpServers: {
        [gated ?? ownName]: { type: 'http', url: server.href, headers: bearer('MSB_API_KEY') },
      },
    }),
  },
  cursor: {
    file: '.cursor/mcp.json in your project or home; it reads the key from the variable MSB_API_KEY',
    json: (server, gated) => ({
      mcpServers: {
        [gated ?? ownName]: { url: server.href, headers: bearer('env:MSB_API_KEY') },
      },
    }),
  },
  vscode: {
    file: '.vscode/mcp.json in your project; it asks for the key and keeps it',
    json: (server, gated) => ({
      inputs: [
        {
          type: 'promptString',
          id: 'sandgate-key',
          description: 'Sandgate API key',
          password: true,
        },
      ],
      servers: {
        [gated ?? ownName]: {
          type: 'http',
          url: server.href,
          headers: bearer('input:sandgate-key'),
        },
      },
    }),
  },
};
