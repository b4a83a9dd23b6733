import type { ServerStatus } from '@sandgate/server';
import type { Command } from 'commander';
import { addExamples } from '../examples.ts';
import { Exit, exitCodes } from '../exit.ts';
import { loadServer } from '../server-module.ts';
import { addStateOption, homeOf, type StateOptions } from '../state-options.ts';
import { formatFields } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { elapsedText, timeText } from '../time-text.ts';

interface Options extends StateOptions {
  readonly json?: true;
}

const authenticationText = {
  required: 'an API key is required',
  development: 'none: DEVELOPMENT MODE, every local program may do everything',
} as const;

function statusFields(status: ServerStatus, home: string, nowMs: number): string {
  const { sandboxes, engine } = status;
  return formatFields([
    ['Server', `running (PID ${status.pid})`],
    ['Address', status.address],
    ['Version', status.version],
    ['Uptime', elapsedText(nowMs - status.startedAtMs)],
    ['Authentication', authenticationText[status.authentication]],
    ['Keys', String(status.keys)],
    ['Sandboxes', `${sandboxes.running} running, ${sandboxes.total} in all`],
    ['Engine', engine.usable ? engine.name : `${engine.name}, which does not work here`],
    ...engine.remarks.map((remark) => ['', remark] as const),
    ['State', home],
  ]).replaceAll(/^: /gm, '  ');
}

function statusJson(status: ServerStatus, home: string, nowMs: number): object {
  const { startedAtMs, ...rest } = status;
  return {
    running: true,
    ...rest,
    startedAt: timeText(startedAtMs),
    uptimeSeconds: Math.floor((nowMs - startedAtMs) / 1_000),
    home,
  };
}

export function addServerStatus(parent: Command, terminal: Terminal): void {
  const command = addStateOption(parent.command('status'))
    .description('Say whether the server runs, where, and whether it requires keys.')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExit code 3 when no server runs.')
    .action(async (options: Options) => {
      const { controlClient, findRunningServer } = await loadServer();
      const home = await homeOf(terminal, options);
      const status =
        (await findRunningServer(home)) === null ? null : await controlClient.status(home);
      if (status === null) {
        terminal.print(
          options.json
            ? JSON.stringify({ running: false, home })
            : formatFields([
                ['Server', 'not running'],
                ['State', home],
              ]),
        );
        throw new Exit(exitCodes.notRunning);
      }
      const nowMs = Date.now();
      terminal.print(
        options.json
          ? JSON.stringify(statusJson(status, home, nowMs))
          : statusFields(status, home, nowMs),
      );
    });
  addExamples(command, 'msb server status', 'msb server status --json');
}
