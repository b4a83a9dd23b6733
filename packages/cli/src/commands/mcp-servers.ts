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
    ['NAME', 'KEY', 'STATE', 'URL OR COMMAND'],
    found.map(({ name, authentication, enabled, url, command }) => [
      name,
      authentication ? 'needed' : 'none',
      enabled ? 'on' : 'off',
      url ?? command?.join(' ') ?? '',
    ]),
    { columns },
  );

interface AddOptions extends ServerOptions {
  readonly header?: Readonly<Record<string, string>>;
  readonly origin?: readonly string[];
  readonly healthPath?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly template?: string;
  readonly allow?: readonly string[];
  readonly authentication: boolean;
  readonly json?: true;
}

function addAdd(servers: Command, terminal: Terminal): void {
  const command = addServerOptions(servers.command('add'))
    .description('Put the gate in front of an MCP server.')
    .argument('<name>', 'what its address ends with')
    .argument(
      '<url or command...>',
      'where it is, by Streamable HTTP; or, after --, a command that speaks MCP, for a sandbox',
    )
    .option(
      '--env <name=VARIABLE>',
      'give the command this variable, with the value of one of yours; may be repeated',
      pairOption,
    )
    .option('--template <name>', 'of the sandbox of the command')
    .option('--allow <host>', 'let the command connect there; may be repeated', repeatedOption)
    .option(
      '--header <name=VARIABLE>',
      'send it this header, with the value of an environment variable; may be repeated',
      pairOption,
    )
    .option('--origin <origin>', 'let web pages of it call; may be repeated', repeatedOption)
    .option('--health-path <path>', 'let anybody ask whether this path of it answers')
    .option('--no-authentication', 'let everybody call who knows the address')
    .option('--json', 'print JSON')
    .action(async (name: string, words: readonly string[], options: AddOptions) => {
      const api = await connectApi(terminal, options);
      const made = await api.call<McpServerItem>('POST', 'mcp-servers', {
        json: {
          name,
          authentication: options.authentication,
          ...upstreamOf(words, options, terminal.environment),
          allowed_origins: options.origin,
        },
      });
      terminal.print(
        options.json ? JSON.stringify(made) : `Added. Clients call it at ${made.endpoint}`,
      );
    });
  addExamples(
    command,
    'msb mcp servers add github https://mcp.example.com/mcp --header authorization=GITHUB_HEADER',
    'msb mcp servers add notes --template python --env TOKEN=NOTES_TOKEN -- python3 -m notes_server',
  );
}

/** An address is one word, and no command contains "://" in the name of its program. */
function upstreamOf(
  words: readonly string[],
  options: AddOptions,
  environment: Terminal['environment'],
) {
  const [first = ''] = words;
  const { header, healthPath, env, template, allow } = options;
  const headers = header && valuesFrom(environment, header, 'header');
  const variables = env && valuesFrom(environment, env, 'variable');
  const common = { headers, health_path: healthPath, environment: variables, template };
  const egress = allow && { mode: 'restricted', allow };
  return words.length === 1 && first.includes('://')
    ? { url: first, ...common, egress }
    : { command: words, ...common, egress };
}

/** Values are no arguments: every user of the machine sees those. */
function valuesFrom(
  environment: Terminal['environment'],
  variables: Readonly<Record<string, string>>,
  what: string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(variables).map(([header, variable]) => {
      const value = environment[variable];
      if (value !== undefined && value !== '') return [header, value];
      throw failure(`The environment has no variable ${variable}, for the ${what} ${header}`);
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
