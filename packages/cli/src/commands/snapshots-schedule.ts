import type { SnapshotScheduleItem } from '@sandgate/server';
import type { Command } from 'commander';
import { addServerOptions, apiPath, connectApi, type ServerOptions } from '../api-client.ts';
import { wholeNumberOption } from '../duration-option.ts';
import { addExamples } from '../examples.ts';
import { Exit, exitCodes } from '../exit.ts';
import type { Terminal } from '../terminal.ts';

interface Options extends ServerOptions {
  readonly cron?: string;
  readonly keep?: number;
  readonly off?: true;
  readonly json?: true;
}

const standardKeep = 7;

/** `snapshots schedule`. */
export function addSnapshotsSchedule(snapshots: Command, terminal: Terminal): void {
  const command = addServerOptions(snapshots.command('schedule'))
    .description(
      'Let snapshots of a sandbox be made by themselves while it runs, or say when they are.',
    )
    .argument('<sandbox>', 'name or id of the sandbox')
    .option('--cron <expression>', 'when: five fields, in UTC, as in "0 3 * * *"')
    .option(
      '--keep <number>',
      `how many stay: the oldest goes when a new one is ready (default: ${standardKeep})`,
      wholeNumberOption(1),
    )
    .option('--off', 'make no more; those that there are stay')
    .option('--json', 'print JSON')
    .action(async (sandbox: string, { cron, keep, off, json, ...options }: Options) => {
      if ((off && cron !== undefined) || (keep !== undefined && cron === undefined)) {
        throw new Exit(exitCodes.usage, 'Give --cron, with or without --keep, or --off alone.');
      }
      const api = await connectApi(terminal, options);
      const path = apiPath`sandboxes/${sandbox}/snapshot-schedule`;
      const answer =
        cron === undefined
          ? await api.call<SnapshotScheduleItem>(off ? 'DELETE' : 'GET', path)
          : await api.call<SnapshotScheduleItem>('PUT', path, {
              json: { cron, keep: keep ?? standardKeep },
            });
      terminal.print(json ? JSON.stringify(answer) : scheduleText(answer));
    });
  addExamples(
    command,
    'msb snapshots schedule box --cron "0 3 * * *" --keep 14',
    'msb snapshots schedule box --off',
  );
}

function scheduleText({ schedule, next_at }: SnapshotScheduleItem): string {
  if (schedule === null) return 'No snapshots are made by themselves.';
  const next = next_at === null ? '' : `, next at ${next_at}`;
  return `A snapshot at ${schedule.cron}${next}. The newest ${schedule.keep} are kept.`;
}
