import type { SandboxItem, UpdateSandboxFields } from '@sandgate/server';
import type { Command } from 'commander';
import {
  type ApiClient,
  addServerOptions,
  apiPath,
  connectApi,
  type ServerOptions,
} from '../api-client.ts';
import { durationForms } from '../duration-option.ts';
import { addExamples } from '../examples.ts';
import { Exit, exitCodes } from '../exit.ts';
import { durationField, expiryText } from '../lifetime-options.ts';
import { pairOption, repeatedOption } from '../pair-option.ts';
import { sandboxFields } from '../sandbox-text.ts';
import type { Terminal } from '../terminal.ts';

interface Options extends ServerOptions {
  readonly name?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly unlabel?: readonly string[];
  readonly idle?: string;
  readonly json?: true;
}

/** `sandboxes update`. */
export function addSandboxesUpdate(sandboxes: Command, terminal: Terminal): void {
  const command = addServerOptions(sandboxes.command('update'))
    .description('Rename or label a sandbox, or change when it ends for want of use.')
    .argument('<sandbox>', 'name or id of the sandbox')
    .option('--name <name>', 'what to call it')
    .option('-l, --label <name=value>', 'label to set; may be repeated', pairOption)
    .option('--unlabel <name>', 'label to take away; may be repeated', repeatedOption)
    .option(
      '--idle <duration>',
      `end it after so long without use: ${durationForms}; or never`,
      expiryText,
    )
    .option('--json', 'print JSON')
    .action(async (reference: string, options: Options) => {
      const { name, label, unlabel, idle, json } = options;
      if ([name, label, unlabel, idle].every((value) => value === undefined)) {
        throw new Exit(
          exitCodes.usage,
          'Say what to change: --name, --label, --unlabel or --idle.',
        );
      }
      const api = await connectApi(terminal, options);
      const path = apiPath`sandboxes/${reference}`;
      const fields: UpdateSandboxFields = {
        name,
        labels: await changedLabels(api, path, options),
        lifetime: idle === undefined ? undefined : { idle_timeout: durationField(idle) },
      };
      const sandbox = await api.call<SandboxItem>('PATCH', path, { json: fields });
      terminal.print(json ? JSON.stringify(sandbox) : sandboxFields(sandbox));
    });
  addExamples(
    command,
    'msb sandboxes update box --name build-17',
    'msb sandboxes update box --label stage=done --unlabel owner',
  );
}

/** The API replaces labels as a whole. */
async function changedLabels(
  api: ApiClient,
  path: string,
  { label, unlabel = [] }: Options,
): Promise<Record<string, string> | undefined> {
  if (label === undefined && unlabel.length === 0) return undefined;
  const { labels } = await api.call<SandboxItem>('GET', path);
  const kept = Object.entries(labels).filter(([name]) => !unlabel.includes(name));
  return { ...Object.fromEntries(kept), ...label };
}
