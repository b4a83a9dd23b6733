import type { McpServerItem, McpServerPage } from '@sandgate/server';
import type { Command } from 'commander';
import { addServerOptions, apiPath, connectApi, type ServerOptions } from '../api-client.ts';
import { addExamples } from '../examples.ts';
import { failure } from '../exit.ts';
import { pairOption, repeatedOption } from '../pair-option.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';

const pageSize = 100;

function addList(servers: Command, terminal: Terminal): void {
  const command = addServerOptions(servers.command('list'))
    .description('List the MCP servers behind the gate, by name.')
    .option('--json', 'print JSON')
    .action(async (options: ServerOptions & { readonly json?: true }) => {
      const api = await connectApi(terminal, options);
      const found: McpServerItem[] = [];
      let cursor: string | undefined;
      do {
        const query = { size: pageSize, cursor };
        const page: McpServerPage = await api.call<McpServerPage>('GET', 'mcp-servers', { query });
        found.push(...page.mcp_servers);
        cursor = page.next_cursor ?? undefined;
      } while (cursor !== undefined);
      if (options.json) terminal.print(JSON.stringify(found));
      else terminal.print(found.length === 0 ? 'No MCP servers found' : tableOf(found, terminal));
    });
  addExamples(command, 'msb mcp servers list');
}

const tableOf = (found: readonly McpServerItem[], { columns }: Terminal): string =>
  formatTable(
    ['NAME', 'KEY', 'STATE', 'URL'],
    found.map(({ name, authentication, enabled, url }) => [
      name,
      authentication ? 'needed' : 'none',
      enabled ? 'on' : 'off',
      url,
    ]),
    { columns },
  );

interface AddOptions extends ServerOptions {
  readonly header?: Readonly<Record<string, string>>;
  readonly origin?: readonly string[];
  readonly healthPath?: string;
  readonly authentication: boolean;
  readonly json?: true;
}

function addAdd(servers: Command, terminal: Terminal): void {
  const command = addServerOptions(servers.command('add'))
    .description('Put the gate in front of an MCP server.')
    .argument('<name>', 'what its address ends with')
    .argument('<url>', 'where it is, by Streamable HTTP')
    .option(
      '--header <name=VARIABLE>',
      'send it this header, with the value of an environment variable; may be repeated',
      pairOption,
    )
    .option('--origin <origin>', 'let web pages of it call; may be repeated', repeatedOption)
    .option('--health-path <path>', 'let anybody ask whether this path of it answers')
    .option('--no-authentication', 'let everybody call who knows the address')
    .option('--json', 'print JSON')
    .action(async (name: string, url: string, options: AddOptions) => {
      const api = await connectApi(terminal, options);
      const made = await api.call<McpServerItem>('POST', 'mcp-servers', {
        json: {
          name,
          url,
          authentication: options.authentication,
          headers: headersFrom(terminal.environment, options.header ?? {}),
          allowed_origins: options.origin,
          health_path: options.healthPath,
        },
      });
      terminal.print(
        options.json ? JSON.stringify(made) : `Added. Clients call it at ${made.endpoint}`,
      );
    });
  addExamples(
    command,
    'msb mcp servers add github https://mcp.example.com/mcp --header authorization=GITHUB_HEADER',
  );
}

/** Values are no arguments: every user of the machine sees those. */
function headersFrom(
  environment: Terminal['environment'],
  variables: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(variables).map(([header, variable]) => {
      const value = environment[variable];
      if (value !== undefined && value !== '') return [header, value];
      throw failure(`The environment has no variable ${variable}, for the header ${header}`);
    }),
  );
}

function addRemove(servers: Command, terminal: Terminal): void {
  const command = addServerOptions(servers.command('remove'))
    .description('Take the gate from in front of an MCP server. The server itself goes on.')
    .argument('<name>', 'name of the MCP server')
    .action(async (name: string, options: ServerOptions) => {
      const api = await connectApi(terminal, options);
      await api.call('DELETE', apiPath`mcp-servers/${name}`);
      terminal.print('Removed.');
    });
  addExamples(command, 'msb mcp servers remove github');
}

/** `mcp servers list | add | remove`. */
export function addMcpServers(mcp: Command, terminal: Terminal): void {
  const servers = mcp.command('servers').description('MCP servers behind the gate.');
  addList(servers, terminal);
  addAdd(servers, terminal);
  addRemove(servers, terminal);
}
