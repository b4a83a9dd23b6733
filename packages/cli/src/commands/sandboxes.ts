import type { SandboxItem } from '@sandgate/server';
import type { Command } from 'commander';
import { addServerOptions, apiPath, connectApi, type ServerOptions } from '../api-client.ts';
import { durationForms } from '../duration-option.ts';
import { addExamples } from '../examples.ts';
import { durationField, expiryText } from '../lifetime-options.ts';
import { printableInLine } from '../printable.ts';
import { withProgress } from '../progress.ts';
import { sandboxFields } from '../sandbox-text.ts';
import type { Terminal } from '../terminal.ts';
import { addSandboxesCreate } from './sandboxes-create.ts';
import { addSandboxesExec } from './sandboxes-exec.ts';
import { addSandboxesList } from './sandboxes-list.ts';
import { addSandboxesLogs } from './sandboxes-logs.ts';
import { addSandboxesMetrics } from './sandboxes-metrics.ts';
import { addSandboxesUpdate } from './sandboxes-update.ts';
import { addSandboxesWait } from './sandboxes-wait.ts';

interface Options extends ServerOptions {
  readonly json?: true;
}

const sandboxArgument = ['<sandbox>', 'name or id of the sandbox'] as const;

function addShow(sandboxes: Command, terminal: Terminal): void {
  const command = addServerOptions(sandboxes.command('show'))
    .description('Show one sandbox: what it is made of, what it may use, when it ends.')
    .argument(...sandboxArgument)
    .option('--json', 'print JSON')
    .action(async (sandbox: string, options: Options) => {
      const api = await connectApi(terminal, options);
      const found = await api.call<SandboxItem>('GET', apiPath`sandboxes/${sandbox}`);
      terminal.print(options.json ? JSON.stringify(found) : sandboxFields(found));
    });
  addExamples(command, 'msb sandboxes show box');
}

/** Commands that bring sandboxes into another state. */
const switches = [
  {
    name: 'stop',
    description: 'Stop sandboxes. Their files are kept.',
    done: 'is stopped',
    progress: 'Stopping',
    method: 'POST',
    path: (sandbox: string) => apiPath`sandboxes/${sandbox}/stop`,
  },
  {
    name: 'start',
    description: 'Start stopped sandboxes again, with their files.',
    done: 'is started',
    progress: 'Starting',
    method: 'POST',
    path: (sandbox: string) => apiPath`sandboxes/${sandbox}/start`,
  },
  {
    name: 'pause',
    description: 'Take the CPU from sandboxes. Their memory is kept.',
    done: 'is paused',
    progress: 'Pausing',
    method: 'POST',
    path: (sandbox: string) => apiPath`sandboxes/${sandbox}/pause`,
  },
  {
    name: 'resume',
    description: 'Let paused sandboxes go on.',
    done: 'goes on',
    progress: 'Resuming',
    method: 'POST',
    path: (sandbox: string) => apiPath`sandboxes/${sandbox}/resume`,
  },
  {
    name: 'delete',
    description: 'End sandboxes for ever, with their files. Volumes and snapshots stay.',
    done: 'is deleted',
    progress: 'Deleting',
    method: 'DELETE',
    path: (sandbox: string) => apiPath`sandboxes/${sandbox}`,
  },
] as const;

function addSwitches(sandboxes: Command, terminal: Terminal): void {
  for (const { name, description, done, progress, method, path } of switches) {
    const command = addServerOptions(sandboxes.command(name))
      .description(description)
      .argument('<sandboxes...>', 'names or ids of sandboxes')
      .option('--json', 'print JSON, one line for each')
      .action(async (references: readonly string[], options: Options) => {
        const api = await connectApi(terminal, options);
        for (const reference of references) {
          const work = api.call<SandboxItem>(method, path(reference));
          const sandbox = await withProgress(terminal, `${progress} ${reference}`, work);
          terminal.print(
            options.json ? JSON.stringify(sandbox) : `${printableInLine(sandbox.name)} ${done}.`,
          );
        }
      });
    addExamples(command, `msb sandboxes ${name} box`, `msb sandboxes ${name} box other`);
  }
}

function addExtend(sandboxes: Command, terminal: Terminal): void {
  const command = addServerOptions(sandboxes.command('extend'))
    .description('Let a sandbox live for so long from now.')
    .argument(...sandboxArgument)
    .argument('<duration>', `${durationForms}; or never, for no end`, expiryText)
    .option('--json', 'print JSON')
    .action(async (reference: string, expiry: string, options: Options) => {
      const api = await connectApi(terminal, options);
      const sandbox = await api.call<SandboxItem>('POST', apiPath`sandboxes/${reference}/extend`, {
        json: { expires_in: durationField(expiry) },
      });
      const end = sandbox.lifetime.expires_at;
      const said = end === null ? 'has no end' : `lives until ${end}`;
      terminal.print(
        options.json ? JSON.stringify(sandbox) : `${printableInLine(sandbox.name)} ${said}.`,
      );
    });
  addExamples(command, 'msb sandboxes extend box 2h', 'msb sandboxes extend box never');
}

/** `sandboxes create | list | show | exec | …`, each command in a file or a row of its own. */
export function addSandboxes(parent: Command, terminal: Terminal): void {
  const sandboxes = parent
    .command('sandboxes')
    .description('Make, see, use, stop and end the sandboxes of a server.');
  addSandboxesCreate(sandboxes, terminal);
  addSandboxesList(sandboxes, terminal);
  addShow(sandboxes, terminal);
  addSandboxesExec(sandboxes, terminal);
  addSandboxesLogs(sandboxes, terminal);
  addSandboxesMetrics(sandboxes, terminal);
  addSandboxesWait(sandboxes, terminal);
  addSwitches(sandboxes, terminal);
  addExtend(sandboxes, terminal);
  addSandboxesUpdate(sandboxes, terminal);
}
