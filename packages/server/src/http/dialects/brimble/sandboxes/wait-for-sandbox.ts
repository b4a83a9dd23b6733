import { z } from 'zod';
import { defineBrimbleRoute, teamQuery } from '../brimble-route.ts';
import { queryNumber } from '../paging.ts';
import { sandboxObject } from './sandbox-object.ts';
import { requireStatus } from './sandbox-status.ts';

/** One of the clients gives every call up after 30 seconds, however long it asked to wait. */
const longestSeconds = 25;

/** Holds until the sandbox is ready, or never will be: an answer at once would make clients spin. */
export const waitForSandboxRoute = defineBrimbleRoute({
  method: 'GET',
  path: '/sandboxes/{sandboxId}/wait',
  message: 'Sandbox fetched',
  scope: 'sandbox:read',
  safe: true,
  query: teamQuery.extend({
    timeout: queryNumber(1, 60, longestSeconds),
    status: z.enum(['ready']).default('ready'),
  }),
  async run({ query }, context) {
    const { sandboxes, workspace, params, signal } = context;
    const sandbox = await sandboxes.wait(workspace, params.sandboxId ?? '', {
      states: ['ready', 'failed'],
      timeoutMs: Math.min(query.timeout, longestSeconds) * 1_000,
      signal,
    });
    if (sandbox.state === 'destroyed') requireStatus(sandbox, ['ready'], 'be waited for');
    return { data: await sandboxObject(sandbox, context) };
  },
});
