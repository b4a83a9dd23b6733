import { averageMs, personNumber, type UsageBucket } from '@sandgate/core';
import type { UsageRowView } from '@sandgate/server';
import { timeText } from './time-text.ts';

/** A request as `--json` and `--csv` print it. */
export const usageRecord = (row: UsageRowView) => ({
  id: row.id,
  at: timeText(row.atMs),
  key: personNumber(row.keyNumber) === null ? row.keyNumber : null,
  namespace: row.namespace,
  method: row.method,
  endpoint: row.endpoint,
  status: row.status,
  accepted: row.accepted,
  error: row.errorCode,
  durationMs: row.durationMs,
  requestId: row.requestId,
  sandboxId: row.sandboxId,
  user: personNumber(row.keyNumber),
});

/** In the order of `usageRecord`. */
export const usageColumns: readonly (keyof ReturnType<typeof usageRecord>)[] = [
  'id',
  'at',
  'key',
  'namespace',
  'method',
  'endpoint',
  'status',
  'accepted',
  'error',
  'durationMs',
  'requestId',
  'sandboxId',
  'user',
];

type Table = readonly [headings: readonly string[], rows: readonly (readonly string[])[]];

const millisecondsText = (durationMs: number): string => `${durationMs.toFixed(1)} ms`;

export const usageTable = (rows: readonly UsageRowView[]): Table => [
  ['TIME', 'KEY', 'NAMESPACE', 'METHOD', 'ENDPOINT', 'STATUS', 'TOOK', 'ERROR'],
  rows.map((row) => [
    timeText(row.atMs),
    callerText(row.keyNumber),
    row.namespace ?? '-',
    row.method,
    row.endpoint,
    // 0 while it is carried out, and for one that a crash cut off.
    row.status === 0 ? '-' : String(row.status),
    millisecondsText(row.durationMs),
    row.errorCode ?? '',
  ]),
];

function callerText(keyNumber: number): string {
  const user = personNumber(keyNumber);
  return user === null ? String(keyNumber) : `user ${user}`;
}

export const bucketRecord = (bucket: UsageBucket) => ({
  start: timeText(bucket.startMs),
  method: bucket.method,
  endpoint: bucket.endpoint,
  calls: bucket.calls,
  successes: bucket.successes,
  averageMs: Math.round(averageMs(bucket) * 1_000) / 1_000,
});

export const bucketTable = (buckets: readonly UsageBucket[]): Table => [
  ['START', 'METHOD', 'ENDPOINT', 'CALLS', 'FAILED', 'AVERAGE'],
  buckets.map((bucket) => [
    timeText(bucket.startMs),
    bucket.method,
    bucket.endpoint,
    String(bucket.calls),
    String(bucket.calls - bucket.successes),
    millisecondsText(averageMs(bucket)),
  ]),
];
