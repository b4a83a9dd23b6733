import type { CreateSandboxFields, SandboxItem } from '@sandgate/server';
import { type Command, InvalidArgumentError } from 'commander';
import { addServerOptions, connectApi, type ServerOptions } from '../api-client.ts';
import { durationForms, wholeNumberOption } from '../duration-option.ts';
import { addEgressOptions, type EgressOptions, egressField } from '../egress-options.ts';
import {
  addEnvironmentOptions,
  chosenEnvironment,
  type EnvironmentOptions,
} from '../environment-options.ts';
import { addExamples } from '../examples.ts';
import { durationField, expiryText } from '../lifetime-options.ts';
import { pairOption } from '../pair-option.ts';
import { printableInLine } from '../printable.ts';
import { withProgress } from '../progress.ts';
import type { Terminal } from '../terminal.ts';

type VolumeField = NonNullable<CreateSandboxFields['volumes']>[number];

interface Options extends ServerOptions, EnvironmentOptions, EgressOptions {
  readonly template?: string;
  readonly snapshot?: string;
  readonly cpus?: number;
  readonly memory?: number;
  readonly disk?: number;
  readonly maxProcesses?: number;
  readonly workdir?: string;
  readonly command?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly volume?: readonly VolumeField[];
  readonly expire?: string;
  readonly idle?: string;
  readonly oneShot?: true;
  readonly json?: true;
}

function cpusOption(text: string): number {
  const value = /^[0-9]{1,4}(\.[0-9]{1,3})?$/.test(text) ? Number(text) : 0;
  if (value > 0) return value;
  throw new InvalidArgumentError('It must be a number above 0, as 0.5 or 2.');
}

/** `name:/path`, or `name:/path:ro`. */
function volumeOption(text: string, before: readonly VolumeField[] = []): readonly VolumeField[] {
  const [volume = '', path = '', access, ...rest] = text.split(':');
  if (
    volume === '' ||
    !path.startsWith('/') ||
    rest.length > 0 ||
    !['ro', undefined].includes(access)
  ) {
    throw new InvalidArgumentError('It must be name:/path, or name:/path:ro to read only.');
  }
  return [...before, { volume, path, read_only: access === 'ro' }];
}

/** `sandboxes create`. */
export function addSandboxesCreate(sandboxes: Command, terminal: Terminal): void {
  const command = addServerOptions(sandboxes.command('create'))
    .description('Make a sandbox, and say its name when it is ready.')
    .argument('[name]', 'what to call it (default: a random name)')
    .option('-t, --template <name>', "template or image that it is made of (default: the server's)")
    .option('--snapshot <snapshot>', 'id of a snapshot whose files it begins with')
    .option('--cpus <number>', 'how many CPUs it may use', cpusOption)
    .option('--memory <MiB>', 'how much memory it may use', wholeNumberOption(1))
    .option('--disk <MiB>', 'how much it may write', wholeNumberOption(1))
    .option('--max-processes <number>', 'how many processes it may have', wholeNumberOption(1))
    .option('--workdir <path>', 'directory that commands begin in')
    .option('--command <line>', 'main command, run by its shell; msb sandboxes logs shows it')
    .option('-l, --label <name=value>', 'label; may be repeated', pairOption)
    .option('-v, --volume <name:path[:ro]>', 'volume to have there; may be repeated', volumeOption)
    .option('--expire <duration>', `when it ends: ${durationForms}; or never`, expiryText)
    .option('--idle <duration>', 'end it after so long without use; or never', expiryText)
    .option('--one-shot', 'end it with its main command')
    .option('--json', 'print JSON');
  addEgressOptions(addEnvironmentOptions(command)).action(
    async (name: string | undefined, options: Options) => {
      const body = await requestOf(terminal, name, options);
      const api = await connectApi(terminal, options);
      const work = api.call<SandboxItem>('POST', 'sandboxes', { json: body });
      const sandbox = await withProgress(terminal, 'Starting the sandbox', work);
      terminal.print(options.json ? JSON.stringify(sandbox) : printableInLine(sandbox.name));
    },
  );
  addExamples(
    command,
    'msb sandboxes create box',
    'msb sandboxes create --template node --memory 512 --expire 2h --label team=blue',
    'msb sandboxes create --allow pypi.org --allow files.pythonhosted.org --env API_TOKEN',
  );
}

async function requestOf(
  terminal: Terminal,
  name: string | undefined,
  options: Options,
): Promise<CreateSandboxFields> {
  const env = await chosenEnvironment(terminal, options);
  const { template, workdir, command, cpus, volume, expire, idle, oneShot } = options;
  return {
    name,
    template,
    workdir,
    command,
    from_snapshot: options.snapshot,
    labels: options.label,
    volumes: volume && [...volume],
    egress: egressField(options),
    env: Object.keys(env).length === 0 ? undefined : env,
    resources: {
      cpus,
      memory_mib: options.memory,
      disk_mib: options.disk,
      max_processes: options.maxProcesses,
    },
    lifetime: {
      expires_in: expire && durationField(expire),
      idle_timeout: idle && durationField(idle),
      one_shot: oneShot,
    },
  };
}
