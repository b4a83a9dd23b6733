import type { EgressChange, EgressFields, EgressItem } from '@sandgate/server';
import type { Command } from 'commander';
import { addServerOptions, apiPath, connectApi, type ServerOptions } from '../api-client.ts';
import { addExamples } from '../examples.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';

interface Options extends ServerOptions {
  readonly json?: true;
}

const policyText = ({ mode, allow = [] }: EgressFields): string => {
  if (mode === 'restricted') return `only ${allow.join(', ') || 'nothing'}`;
  return mode === 'open' ? 'the public Internet' : 'nothing';
};

function addShow(egress: Command, terminal: Terminal): void {
  const command = addServerOptions(egress.command('show'))
    .description('Show what a sandbox may reach, and which connections were refused.')
    .argument('<sandbox>', 'name or id of the sandbox')
    .option('--json', 'print JSON')
    .action(async (sandbox: string, options: Options) => {
      const api = await connectApi(terminal, options);
      const shown = await api.call<EgressItem>('GET', apiPath`sandboxes/${sandbox}/egress`);
      if (options.json) {
        terminal.print(JSON.stringify(shown));
        return;
      }
      terminal.print(`Reaches ${policyText(shown)}.`);
      if (shown.denials.length > 0) terminal.print(denialTable(shown.denials, terminal));
    });
  addExamples(command, 'msb egress show box');
}

const denialTable = (denials: EgressItem['denials'], { columns }: Terminal): string =>
  formatTable(
    ['REFUSED', 'HOST', 'PORT', 'REASON'],
    denials.map(({ at, host, port, reason }) => [at, host, String(port), reason]),
    { columns },
  );

/** Commands that switch the network of a sandbox, also while it runs. */
const switches = [
  {
    name: 'allow',
    hosts: true,
    description: 'Let a sandbox reach these hosts, and nothing else.',
    fields: (hosts: readonly string[]): EgressFields => ({ mode: 'restricted', allow: [...hosts] }),
    example: 'msb egress allow box pypi.org "*.pythonhosted.org" 93.184.215.0/24',
  },
  {
    name: 'open',
    hosts: false,
    description: 'Let a sandbox reach the public Internet. Private addresses stay refused.',
    fields: (): EgressFields => ({ mode: 'open' }),
    example: 'msb egress open box',
  },
  {
    name: 'deny',
    hosts: false,
    description: 'Let a sandbox reach nothing any more.',
    fields: (): EgressFields => ({ mode: 'deny_all' }),
    example: 'msb egress deny box',
  },
] as const;

/** `egress show | allow | open | deny`. */
export function addEgress(parent: Command, terminal: Terminal): void {
  const egress = parent
    .command('egress')
    .description('See and switch what a sandbox may reach on the network.');
  addShow(egress, terminal);
  for (const { name, hosts, description, fields, example } of switches) {
    const command = addServerOptions(egress.command(name))
      .description(`${description} It holds at once, for open connections too.`)
      .argument('<sandbox>', 'name or id of the sandbox')
      .option('--json', 'print JSON');
    if (hosts) command.argument('<hosts...>', 'host names, *.names, addresses and CIDR blocks');
    command.action(async (sandbox: string) => {
      const options = command.opts<Options>();
      const [, chosen = []] = command.processedArgs;
      const api = await connectApi(terminal, options);
      const changed = await api.call<EgressChange>('PUT', apiPath`sandboxes/${sandbox}/egress`, {
        json: fields(chosen),
      });
      const from = changed.live ? '' : ' from its next start on';
      terminal.print(
        options.json ? JSON.stringify(changed) : `Reaches ${policyText(changed)}${from}.`,
      );
    });
    addExamples(command, example);
  }
}
