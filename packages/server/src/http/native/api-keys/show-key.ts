import { z } from 'zod';
import { callerKey } from '../../authorize/caller-key.ts';
import { defineRoute } from '../route.ts';
import { toUsageRow } from '../usage/to-usage-row.ts';
import { usageRow } from '../usage/usage-schemas.ts';
import { findKeyWithin } from './find-key-within.ts';
import { oneKeyItem } from './key-item.ts';
import { keyItem, keyParams } from './key-schemas.ts';

/** The rest is at /api/v1/usage. */
const mostUsageRows = 100;

export const showKeyRoute = defineRoute({
  operationId: 'getApiKey',
  method: 'get',
  path: '/api/v1/api-keys/{id}',
  tag: 'API keys',
  summary: 'Show an API key and its latest requests',
  description: `The newest ${mostUsageRows} requests, newest first. Older ones are at /api/v1/usage?key={id}.`,
  access: 'key:read',
  ownChildren: true,
  workspace: 'reach',
  safe: true,
  params: keyParams,
  answer: keyItem.extend({ usage: z.array(usageRow) }),
  errors: ['key_not_found'],
  async run({ params }, context) {
    const key = await findKeyWithin(context, params.id);
    const { rows } = await context.storage.usage.list(
      { keyNumber: key.number },
      { limit: mostUsageRows },
    );
    return {
      ...(await oneKeyItem(context, key)),
      usage: rows.map((row) => toUsageRow(row, callerKey(context))),
    };
  },
});
