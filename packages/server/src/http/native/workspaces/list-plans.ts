import { z } from 'zod';
import { limitFields } from '../api-keys/limit-fields.ts';
import { defineRoute } from '../route.ts';

/** As far as an operator may go; a key's own limits end sooner. Null: unlimited. */
const limit = z.int().nullable();
const limits = z.strictObject({ minute: limit, hour: limit, day: limit, quota_24h: limit });

export const listPlansRoute = defineRoute({
  operationId: 'listPlans',
  method: 'get',
  path: '/api/v1/plans',
  tag: 'Workspaces',
  summary: 'List the plans of this server, and what each allows a key',
  access: 'workspace:read',
  workspace: 'reach',
  safe: true,
  answer: z.strictObject({
    plans: z.array(z.strictObject({ name: z.string(), limits })),
  }),
  run: async (_, { plans }) => ({
    plans: Object.entries(plans).map(([name, { requests }]) => ({
      name,
      limits: limitFields(requests),
    })),
  }),
});
