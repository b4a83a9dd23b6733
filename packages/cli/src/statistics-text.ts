import { averageMs, successRate, type UsageSummary, type WindowState } from '@sandgate/core';
import type { KeyStatistics, Statistics } from '@sandgate/server';

import { keyTable } from './key-text.ts';
import { formatFields, formatTable } from './table.ts';
import { elapsedText, timeText } from './time-text.ts';

const callFields = (sum: UsageSummary) =>
  [
    ['Requests', String(sum.calls)],
    ['Succeeded', sum.calls === 0 ? '-' : `${successRate(sum)} %`],
    ['Average', sum.calls === 0 ? '-' : `${averageMs(sum).toFixed(1)} ms`],
  ] as const;

const callJson = (sum: UsageSummary) => ({
  calls: sum.calls,
  successes: sum.successes,
  successRate: successRate(sum),
  averageMs: Math.round(averageMs(sum) * 1_000) / 1_000,
});

export function statisticsText(found: Statistics): string {
  const parts = [
    formatFields([
      ['Active keys', String(found.activeKeyCount)],
      ...callFields(found.calls),
      ['Open tickets', String(found.openTickets)],
      ['Resolved tickets', String(found.resolvedTickets)],
    ]),
  ];
  if (found.activeKeys.length > 0) parts.push(keyTable(found.activeKeys));
  const hidden = found.activeKeyCount - found.activeKeys.length;
  if (hidden > 0) parts.push(`and ${hidden} more keys: msb keys list`);
  if (found.recentTickets.length > 0) {
    parts.push(
      formatTable(
        ['TICKET', 'STATUS', 'OPENED', 'SUBJECT'],
        found.recentTickets.map(({ number, status, createdAtMs, subject }) => [
          String(number),
          status,
          timeText(createdAtMs),
          subject,
        ]),
      ),
    );
  }
  return parts.join('\n\n');
}

/** Like the answer of `GET /api/v1/dashboard/stats`, under this program's names. */
export const statisticsJson = (found: Statistics): object => ({
  activeKeys: found.activeKeyCount,
  ...callJson(found.calls),
  openTickets: found.openTickets,
  resolvedTickets: found.resolvedTickets,
  keys: found.activeKeys.map(({ number, name, usageCount, lastUsedAtMs }) => ({
    number,
    name,
    usageCount,
    lastUsedAt: lastUsedAtMs === null ? null : timeText(lastUsedAtMs),
  })),
  recentTickets: found.recentTickets.map(({ number, subject, status, createdAtMs }) => ({
    number,
    subject,
    status,
    createdAt: timeText(createdAtMs),
  })),
});

const windowNames: Readonly<Record<string, string>> = { quota24h: '24 h (quota)' };

const limitRow = ({ name, limit, remaining, resetAfterMs }: WindowState): readonly string[] => [
  windowNames[name] ?? name,
  String(limit),
  String(remaining),
  remaining === limit ? '-' : elapsedText(Math.ceil(resetAfterMs / 1_000) * 1_000),
];

export function keyStatisticsText({ key, total, endpoints, limits }: KeyStatistics): string {
  const parts = [
    formatFields([
      ['Key', `${key.number} (${key.name === '' ? key.display : key.name})`],
      ['State', key.state],
      ['Last used', timeText(key.lastUsedAtMs)],
      ['Accepted', `${key.usageCount} ever`],
      ...callFields(total),
    ]),
  ];
  if (limits.length > 0) {
    parts.push(formatTable(['LIMIT', 'CALLS', 'LEFT', 'ONE MORE IN'], limits.map(limitRow)));
  }
  if (endpoints.length > 0) {
    parts.push(
      formatTable(
        ['METHOD', 'ENDPOINT', 'CALLS', 'FAILED', 'AVERAGE'],
        endpoints.map((sum) => [
          sum.method,
          sum.endpoint,
          String(sum.calls),
          String(sum.calls - sum.successes),
          `${averageMs(sum).toFixed(1)} ms`,
        ]),
      ),
    );
  }
  return parts.join('\n\n');
}

export const keyStatisticsJson = (
  { key, total, endpoints, limits }: KeyStatistics,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): object => ({
  number: key.number,
  name: key.name,
  state: key.state,
  usageCount: key.usageCount,
  lastUsedAt: key.lastUsedAtMs === null ? null : timeText(key.lastUsedAtMs),
  from: timeText(fromMs),
  to: timeText(toMs),
  ...callJson(total),
  limits: limits.map(({ name, limit, remaining, resetAfterMs }) => ({
    name,
    limit,
    remaining,
    resetAfterMs,
  })),
  endpoints: endpoints.map((sum) => ({
    method: sum.method,
    endpoint: sum.endpoint,
    ...callJson(sum),
  })),
});
