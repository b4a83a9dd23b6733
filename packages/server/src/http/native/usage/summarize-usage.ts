import { type EndpointSum, sumUsage } from '@sandgate/core';
import { z } from 'zod';
import { findKeyWithin } from '../api-keys/find-key-within.ts';
import { defineRoute } from '../route.ts';
import { queryTime, time, toTime, workspaceName } from '../shared-schemas.ts';
import { averageSeconds } from './average-seconds.ts';

const dayMs = 86_400_000;
const standardDays = 30;
/** Hours of a longer time are more than anybody reads, and than one answer should hold. */
const mostDaysOfHours = 31;

const summaryQuery = z
  .strictObject({
    by: z
      .enum(['endpoint', 'day', 'hour'])
      .default('endpoint')
      .meta({ description: '`day` and `hour` sum by endpoint too' }),
    key: z.string().max(24).optional().meta({ description: 'Number or id of a key' }),
    from: queryTime.optional().meta({
      description: `The day, or hour, that holds it is whole. ${standardDays} days ago by default`,
    }),
    to: queryTime
      .optional()
      .meta({ description: 'The day, or hour, before it is whole. Now by default' }),
    workspace: workspaceName.optional(),
  })
  .refine(
    ({ by, from, to }) =>
      by !== 'hour' || from === undefined || (to ?? Date.now()) - from <= mostDaysOfHours * dayMs,
    { path: ['from'], error: `is over ${mostDaysOfHours} days before the end, too long for hours` },
  );

export const summarizeUsageRoute = defineRoute({
  operationId: 'summarizeUsage',
  method: 'get',
  path: '/api/v1/usage/summary',
  tag: 'Usage',
  summary: 'Sum requests by endpoint, and by day or hour',
  description:
    'Over all that was ever recorded, also when the requests themselves are not kept any more.',
  access: 'usage:read',
  workspace: 'reach',
  safe: true,
  query: summaryQuery,
  answer: z.strictObject({
    usage: z.array(
      z.strictObject({
        start: time.optional().meta({ description: 'Of the day or hour, UTC' }),
        endpoint: z.string(),
        method: z.string(),
        calls: z.int(),
        successes: z.int().meta({ description: 'Answered with a status below 400' }),
        avg_response_time: z.number().meta({ description: 'Seconds' }),
      }),
    ),
  }),
  errors: ['key_not_found'],
  async run({ query: { by, key, from, to } }, context) {
    const { access, clock, storage } = context;
    const workspaceId = access.workspace?.id;
    const toMs = to ?? clock.nowMs() + 1;
    const filter = {
      fromMs: from ?? toMs - standardDays * dayMs,
      toMs,
      ...(workspaceId === undefined ? {} : { workspaceId }),
      ...(key === undefined
        ? {}
        : { keyNumber: (await findKeyWithin(context, key, { revokedToo: true })).number }),
    };
    const buckets = await storage.usage.summarize(filter, by === 'hour' ? 'hour' : 'day');
    if (by !== 'endpoint') {
      return {
        usage: buckets.map((bucket) => ({ start: toTime(bucket.startMs), ...toSums(bucket) })),
      };
    }
    return { usage: sumUsage(buckets).endpoints.map(toSums) };
  },
});

const toSums = (sum: EndpointSum) => ({
  endpoint: sum.endpoint,
  method: sum.method,
  calls: sum.calls,
  successes: sum.successes,
  avg_response_time: averageSeconds(sum),
});
