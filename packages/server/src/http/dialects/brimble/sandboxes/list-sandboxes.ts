import { z } from 'zod';
import { defineBrimbleRoute } from '../brimble-route.ts';
import { pageAnswer, pageQuery, toPageRequest } from '../paging.ts';
import { sandboxObject } from './sandbox-object.ts';

export const listSandboxesRoute = defineBrimbleRoute({
  method: 'GET',
  path: '/sandboxes',
  message: 'Sandboxes fetched',
  scope: 'sandbox:read',
  safe: true,
  query: pageQuery.extend({ search: z.string().max(64).optional() }),
  async run({ query }, context) {
    const { sandboxes, workspace } = context;
    const filter = query.search ? { search: query.search } : {};
    const page = await sandboxes.list(workspace, filter, toPageRequest(query));
    const items = await Promise.all(page.items.map((sandbox) => sandboxObject(sandbox, context)));
    return { data: pageAnswer(query, page, items) };
  },
});
