import { z } from 'zod';
import { namedWorkspace } from '../../../people/workspace-caller.ts';
import { defineModboxRoute } from '../modbox-route.ts';
import { readFields } from '../read-fields.ts';
import { sandboxDetail, sandboxStatuses, statesOf } from './sandbox-detail.ts';

const mostAtOnce = 1_000;

const listQuery = z.object({
  realm: z.string().max(255).optional(),
  status: z.enum(sandboxStatuses).optional(),
  limit: z.coerce.number().int().min(1).max(mostAtOnce).default(mostAtOnce),
  offset: z.coerce.number().int().min(0).default(0),
});

/** Newest first. Destroyed ones are left out, unless `status=destroyed` asks for them. */
export const listSandboxesRoute = defineModboxRoute({
  method: 'get',
  path: '/sandboxes',
  access: 'sandbox:read',
  workspace: 'header',
  audit: null,
  async run(_, context) {
    const { realm, status, limit, offset } = readFields(
      listQuery,
      Object.fromEntries(context.query),
      'query',
    );
    const workspace = namedWorkspace(context);
    if (realm !== undefined && realm !== workspace.slug) return { sandboxes: [], total: 0 };
    const { items, total } = await context.access.sandboxes.list(
      workspace,
      status === undefined ? {} : { states: statesOf(status) },
      { limit, offset },
    );
    return { sandboxes: items.map((sandbox) => sandboxDetail(sandbox, context)), total };
  },
});
