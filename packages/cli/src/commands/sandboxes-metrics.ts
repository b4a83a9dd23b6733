import type { MetricsItem, StatsItem } from '@sandgate/server';
import type { Command } from 'commander';
import { addServerOptions, apiPath, connectApi, type ServerOptions } from '../api-client.ts';
import { bytesText } from '../bytes-text.ts';
import { durationForms } from '../duration-option.ts';
import { addExamples } from '../examples.ts';
import { durationText } from '../lifetime-options.ts';
import { formatFields, formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';

interface Options extends ServerOptions {
  readonly last?: string;
  readonly json?: true;
}

/** `sandboxes metrics`. */
export function addSandboxesMetrics(sandboxes: Command, terminal: Terminal): void {
  const command = addServerOptions(sandboxes.command('metrics'))
    .description('Show what a sandbox uses now, or how that went over time.')
    .argument('<sandbox>', 'name or id of the sandbox')
    .option('--last <duration>', `samples of the last ${durationForms}`, durationText)
    .option('--json', 'print JSON')
    .action(async (sandbox: string, { last, json, ...options }: Options) => {
      const api = await connectApi(terminal, options);
      if (last === undefined) {
        const now = await api.call<MetricsItem>('GET', apiPath`sandboxes/${sandbox}/metrics`);
        terminal.print(json ? JSON.stringify(now) : metricsFields(now));
        return;
      }
      const path = apiPath`sandboxes/${sandbox}/stats`;
      const stats = await api.call<StatsItem>('GET', path, { query: { last } });
      if (json) terminal.print(JSON.stringify(stats));
      else terminal.print(stats.samples.length === 0 ? 'No samples found' : statsTable(stats));
    });
  addExamples(command, 'msb sandboxes metrics box', 'msb sandboxes metrics box --last 15m');
}

function metricsFields({ state, metrics }: MetricsItem): string {
  if (metrics === null) return formatFields([['State', state]]);
  const { network } = metrics;
  const traffic = (bytes: number | undefined): string =>
    bytes === undefined ? 'no network' : bytesText(bytes);
  return formatFields([
    ['State', state],
    ['CPU', percent(metrics.cpu_percent)],
    ['Memory', bytesText(metrics.memory_bytes)],
    ['Disk', bytesText(metrics.disk_bytes)],
    ['Processes', String(metrics.processes)],
    ['Received', traffic(network?.received_bytes)],
    ['Sent', traffic(network?.sent_bytes)],
  ]);
}

const statsTable = ({ samples }: StatsItem): string =>
  formatTable(
    ['TIME', 'CPU', 'MEMORY', 'DISK', 'PROCESSES', 'NETWORK'],
    samples.map((sample) => [
      sample.at,
      percent(sample.cpu_percent),
      bytesText(sample.memory_bytes),
      bytesText(sample.disk_bytes),
      String(sample.processes),
      sample.network_bytes_per_second === null
        ? '-'
        : `${bytesText(sample.network_bytes_per_second)}/s`,
    ]),
  );

/** Of one CPU. */
const percent = (value: number): string => `${value.toFixed(1)} %`;
