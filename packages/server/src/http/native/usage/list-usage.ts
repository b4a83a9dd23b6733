import type { UsageFilter } from '@sandgate/core';
import { z } from 'zod';
import { callerKey } from '../../authorize/caller-key.ts';
import { findKeyWithin } from '../api-keys/find-key-within.ts';
import { type AuthorisedContext, defineRoute } from '../route.ts';
import { queryNumber, queryTime, workspaceName } from '../shared-schemas.ts';
import { toUsageRow } from './to-usage-row.ts';
import { usageCsv } from './usage-csv.ts';
import { usageRow } from './usage-schemas.ts';

const usageQuery = z.strictObject({
  key: z.string().max(24).optional().meta({ description: 'Number or id of a key' }),
  endpoint: z.string().max(200).optional().meta({ description: 'As rows give it' }),
  status: z
    .union([z.enum(['1xx', '2xx', '3xx', '4xx', '5xx']), queryNumber(0, 599)], {
      error: 'must be a status, as 404, or a class of them, as 4xx',
    })
    .optional()
    .meta({ description: 'One status, as 404, or a class of them, as 4xx' }),
  from: queryTime.optional(),
  to: queryTime.optional().meta({ description: 'Exclusive' }),
  size: queryNumber(1, 1_000).default(100),
  cursor: queryNumber(1, Number.MAX_SAFE_INTEGER)
    .optional()
    .meta({ description: 'next_cursor of the page before' }),
  format: z.enum(['json', 'csv']).optional(),
  workspace: workspaceName.optional(),
});

export const listUsageRoute = defineRoute({
  operationId: 'listUsage',
  method: 'get',
  path: '/api/v1/usage',
  tag: 'Usage',
  summary: 'List requests, newest first',
  description:
    'JSON comes in pages. CSV, by `Accept: text/csv` or `format=csv`, is everything that the filters leave.',
  access: 'usage:read',
  workspace: 'reach',
  safe: true,
  query: usageQuery,
  answer: z.strictObject({ usage: z.array(usageRow), next_cursor: z.int().nullable() }),
  errors: ['key_not_found'],
  async run({ query }, context) {
    const filter = await filterOf(query, context);
    const { usage } = context.storage;
    const reader = callerKey(context);
    const csv = query.format === 'csv' || (query.format === undefined && asksForCsv(context));
    if (csv) return await usageCsv(usage, filter, reader);
    const { rows, nextBeforeId } = await usage.list(filter, {
      limit: query.size,
      ...(query.cursor === undefined ? {} : { beforeId: query.cursor }),
    });
    return { usage: rows.map((row) => toUsageRow(row, reader)), next_cursor: nextBeforeId };
  },
});

const asksForCsv = ({ accept }: AuthorisedContext): boolean =>
  /(^|,)\s*text\/csv\s*(;|,|$)/i.test(accept);

/** A key of one workspace sees the rows of that workspace alone, whatever it filters by. */
async function filterOf(
  { key, endpoint, status, from, to }: z.output<typeof usageQuery>,
  context: AuthorisedContext,
): Promise<UsageFilter> {
  const { workspace } = context.access;
  const keyNumber =
    key === undefined ? null : (await findKeyWithin(context, key, { revokedToo: true })).number;
  return {
    ...(workspace === null ? {} : { workspaceId: workspace.id }),
    ...(keyNumber === null ? {} : { keyNumber }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(status === undefined ? {} : { status }),
    ...(from === undefined ? {} : { fromMs: from }),
    ...(to === undefined ? {} : { toMs: to }),
  };
}
