import type { RegistryItem, RegistryPage, RegistryTestAnswer } from '@sandgate/server';
import type { Command } from 'commander';
import { addServerOptions, apiPath, connectApi, type ServerOptions } from '../api-client.ts';
import { addExamples } from '../examples.ts';
import { failure } from '../exit.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';

const pageSize = 100;

interface JsonOptions extends ServerOptions {
  readonly json?: true;
}

const registryArgument = ['<registry>', '24-digit id of the registry'] as const;
const passwordStdin = [
  '--password-stdin',
  'read the password from the first line of standard input',
] as const;

function addList(registries: Command, terminal: Terminal): void {
  const command = addServerOptions(registries.command('list'))
    .description('List registries of images, the oldest first.')
    .option('--json', 'print JSON')
    .action(async (options: JsonOptions) => {
      const api = await connectApi(terminal, options);
      const found: RegistryItem[] = [];
      let cursor: string | undefined;
      do {
        const query = { size: pageSize, cursor };
        const page: RegistryPage = await api.call<RegistryPage>('GET', 'registries', { query });
        found.push(...page.registries);
        cursor = page.next_cursor ?? undefined;
      } while (cursor !== undefined);
      if (options.json) terminal.print(JSON.stringify(found));
      else terminal.print(found.length === 0 ? 'No registries found' : tableOf(found, terminal));
    });
  addExamples(command, 'msb registries list');
}

const tableOf = (found: readonly RegistryItem[], { columns }: Terminal): string =>
  formatTable(
    ['ID', 'NAME', 'SERVER', 'USER', 'STATE'],
    found.map(({ id, name, server, username, enabled, password_outdated }) => [
      id,
      name,
      server,
      username,
      password_outdated ? 'password outdated' : enabled ? 'on' : 'off',
    ]),
    { columns },
  );

interface AddOptions extends JsonOptions {
  readonly username: string;
  readonly name?: string;
}

function addAdd(registries: Command, terminal: Terminal): void {
  const command = addServerOptions(registries.command('add'))
    .description(
      'Store a user and password for a registry. The password is asked for, or read from standard ' +
        'input where that is piped; never from an argument, which others see in ps.',
    )
    .argument('<server>', 'its host, as in ghcr.io or registry.example:5000')
    .requiredOption('--username <name>', 'whom it lets in')
    .option('--name <name>', 'what it is called; its host unless given')
    .option(...passwordStdin)
    .option('--json', 'print JSON')
    .action(async (server: string, options: AddOptions) => {
      const { username, name = server } = options;
      const password = await terminal.readSecret('Password: ');
      const api = await connectApi(terminal, options);
      const made = await api.call<RegistryItem>('POST', 'registries', {
        json: { name, server, username, password },
      });
      terminal.print(options.json ? JSON.stringify(made) : `Added, with the id ${made.id}.`);
    });
  addExamples(
    command,
    'msb registries add ghcr.io --username robot',
    'pass ghcr | msb registries add ghcr.io --username robot --password-stdin',
  );
}

function addPassword(registries: Command, terminal: Terminal): void {
  const command = addServerOptions(registries.command('password'))
    .description('Set another password.')
    .argument(...registryArgument)
    .option(...passwordStdin)
    .action(async (id: string, options: ServerOptions) => {
      const password = await terminal.readSecret('Password: ');
      const api = await connectApi(terminal, options);
      await api.call('PATCH', apiPath`registries/${id}`, { json: { password } });
      terminal.print('Changed.');
    });
  addExamples(command, 'msb registries password 68b5c0f2a1d4e8937c5b0a12');
}

function addTest(registries: Command, terminal: Terminal): void {
  const command = addServerOptions(registries.command('test'))
    .description('Ask the registry whether it lets the stored user in.')
    .argument(...registryArgument)
    .option('--json', 'print JSON')
    .action(async (id: string, options: JsonOptions) => {
      const api = await connectApi(terminal, options);
      const { result, problem } = await api.call<RegistryTestAnswer>(
        'POST',
        apiPath`registries/${id}/test`,
      );
      if (options.json) terminal.print(JSON.stringify({ result, problem }));
      if (problem !== null) throw failure(problem);
      if (!options.json) terminal.print(welcomes[result] ?? result);
    });
  addExamples(command, 'msb registries test 68b5c0f2a1d4e8937c5b0a12');
}

const welcomes: Partial<Record<RegistryTestAnswer['result'], string>> = {
  accepted: 'The registry lets this user in.',
  not_asked: 'The registry lets everybody in, and looked at no password.',
};

function addRemove(registries: Command, terminal: Terminal): void {
  const command = addServerOptions(registries.command('remove'))
    .description('Forget a registry and its password.')
    .argument(...registryArgument)
    .action(async (id: string, options: ServerOptions) => {
      const api = await connectApi(terminal, options);
      await api.call('DELETE', apiPath`registries/${id}`);
      terminal.print('Removed.');
    });
  addExamples(command, 'msb registries remove 68b5c0f2a1d4e8937c5b0a12');
}

/** `registries list | add | password | test | remove`. */
export function addRegistries(parent: Command, terminal: Terminal): void {
  const registries = parent
    .command('registries')
    .description('Registries of images, and the passwords for them.');
  addList(registries, terminal);
  addAdd(registries, terminal);
  addPassword(registries, terminal);
  addTest(registries, terminal);
  addRemove(registries, terminal);
}
