import type { EngineReport } from '@sandgate/core';
import type { Command } from 'commander';
import { addExamples } from '../examples.ts';
import { Exit, exitCodes } from '../exit.ts';
import { withProgress } from '../progress.ts';
import { loadServer } from '../server-module.ts';
import { addStateOption, homeOf, type StateOptions } from '../state-options.ts';
import type { Terminal } from '../terminal.ts';

interface Options extends StateOptions {
  readonly json?: true;
}

const marks = { ok: '✓', degraded: '!', missing: '✗' } as const;

function reportText(report: EngineReport): string {
  const findings = report.findings.flatMap(({ subject, status, message, remedy }) => [
    `${marks[status]} ${subject}: ${message}`,
    ...(remedy === undefined ? [] : [`    ${remedy}`]),
  ]);
  const verdict = report.usable
    ? `Sandboxes start through ${report.engine}.`
    : 'No sandbox can be started on this machine.';
  return [`✓ Node: ${process.version}`, ...findings, verdict].join('\n');
}

export function addDoctor(parent: Command, terminal: Terminal): void {
  const command = addStateOption(parent.command('doctor'))
    .description('Say how sandboxes can be started on this machine, and what would be stronger.')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExit code 1 when no sandbox can be started.')
    .action(async (options: Options) => {
      const { probeEngine } = await loadServer();
      const home = await homeOf(terminal, options);
      const report = await withProgress(
        terminal,
        'Starting something to see what works',
        probeEngine({ home, environment: terminal.environment }),
      );
      terminal.print(options.json ? JSON.stringify(report) : reportText(report));
      if (!report.usable) throw new Exit(exitCodes.failure);
    });
  addExamples(command, 'msb doctor');
}
