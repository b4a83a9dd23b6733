import type { TemplateList } from '@sandgate/server';
import type { Command } from 'commander';
import { addServerOptions, connectApi, type ServerOptions } from '../api-client.ts';
import { addExamples } from '../examples.ts';
import { resourcesText } from '../sandbox-text.ts';
import { formatFields, formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';

/** `templates`. */
export function addTemplates(parent: Command, terminal: Terminal): void {
  const command = addServerOptions(parent.command('templates'))
    .description('Show what sandboxes can be made of, what they get by default, and at most.')
    .option('--json', 'print JSON')
    .action(async (options: ServerOptions & { readonly json?: true }) => {
      const api = await connectApi(terminal, options);
      const found = await api.call<TemplateList>('GET', 'templates');
      if (options.json) terminal.print(JSON.stringify(found));
      else terminal.print(`${templateTable(found, terminal)}\n\n${boundFields(found)}`);
    });
  addExamples(command, 'msb templates', 'msb sandboxes create --template node');
}

const templateTable = ({ templates }: TemplateList, { columns }: Terminal): string =>
  formatTable(
    ['NAME', 'ENGINE', 'LANGUAGES', 'DEFAULT', 'DESCRIPTION'],
    templates.map((each) => [
      each.name,
      each.engine,
      each.languages.join(', '),
      each.default ? 'yes' : '',
      each.description,
    ]),
    { columns },
  );

const boundFields = ({ defaults, maxima }: TemplateList): string =>
  formatFields([
    ['By default', resourcesText(defaults.resources)],
    ['At most', resourcesText(maxima)],
    ['Network', defaults.egress.mode],
  ]);
