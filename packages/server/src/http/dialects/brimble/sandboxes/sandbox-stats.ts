import type { MetricsSample, SandboxResources, StatsReading } from '@sandgate/core';
import { defineBrimbleRoute, teamQuery } from '../brimble-route.ts';
import { queryNumber } from '../paging.ts';
import { toTime } from '../time-text.ts';

const hourMs = 3_600_000;
const mebibyte = 1_048_576;
const hoursOfTenYears = 87_600;

export const sandboxStatsRoute = defineBrimbleRoute({
  method: 'GET',
  path: '/sandboxes/{sandboxId}/stats',
  message: 'Sandbox stats fetched',
  scope: 'sandbox:read',
  safe: true,
  query: teamQuery.extend({ hoursAgo: queryNumber(1, hoursOfTenYears, 1) }),
  async run({ query }, { sandboxes, workspace, params, clock }) {
    const { id, definition } = await sandboxes.find(workspace, params.sandboxId ?? '');
    const sinceMs = clock.nowMs() - query.hoursAgo * hourMs;
    const reading = await sandboxes.stats(workspace, id, { sinceMs });
    return { data: statsObject(reading, definition.resources) };
  },
});

/** Sizes are whole MB and MHz, shares are percents of what the sandbox may have. */
export function statsObject(
  { samples, networkBytes }: StatsReading,
  { cpus, memoryMib }: Pick<SandboxResources, 'cpus' | 'memoryMib'>,
): object {
  const memoryShare = ({ memoryBytes }: MetricsSample): number =>
    percent(memoryBytes, memoryMib * mebibyte);
  const cpuShare = ({ cpuPercent }: MetricsSample): number => percent(cpuPercent, cpus * 100);
  const rates = samples.flatMap(({ networkBytesPerSecond }) => networkBytesPerSecond ?? []);
  const rate = rates.length === 0 ? null : Math.round(mean(rates));
  return {
    average: {
      memory: {
        totalInPercentage: rounded(mean(samples.map(memoryShare))),
        size: Math.round(mean(samples.map(({ memoryBytes }) => memoryBytes)) / mebibyte),
      },
      cpu: {
        totalInPercentage: rounded(mean(samples.map(cpuShare))),
        size: Math.round(mean(samples.map(({ cpuPercent }) => cpuPercent)) * 10),
      },
      network: {
        value: networkBytes,
        total: null,
        totalInPercentage: null,
        bytesPerSecond: rate,
      },
    },
    replicaCount: 1,
    results: samples.map((sample) => ({
      date: toTime(sample.atMs),
      memory: rounded(memoryShare(sample)),
      cpu: rounded(cpuShare(sample)),
      network: {
        bytesPerSecond:
          sample.networkBytesPerSecond === null ? null : Math.round(sample.networkBytesPerSecond),
      },
    })),
    responseTime: null,
  };
}

const percent = (part: number, whole: number): number => (whole === 0 ? 0 : (part / whole) * 100);
const rounded = (value: number): number => Math.round(value * 100) / 100;
const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
