import { type BrimbleAnswer, type BrimbleContext, defineBrimbleRoute } from '../brimble-route.ts';
import { type PageQuery, pageAnswer, pageQuery, toPageRequest } from '../paging.ts';
import { snapshotObject } from './snapshot-object.ts';

const shared = {
  method: 'GET',
  message: 'Snapshots fetched',
  scope: 'snapshot:read',
  safe: true,
  query: pageQuery,
} as const;

/** Of all sandboxes, also of those that are destroyed. */
export const listSnapshotsRoute = defineBrimbleRoute({
  ...shared,
  path: '/sandboxes/snapshots',
  run: ({ query }, context) => list(query, context),
});

export const listSandboxSnapshotsRoute = defineBrimbleRoute({
  ...shared,
  path: '/sandboxes/{sandboxId}/snapshots',
  async run({ query }, context) {
    const { sandboxes, workspace, params } = context;
    const sandbox = await sandboxes.find(workspace, params.sandboxId ?? '', {
      includeDestroyed: true,
    });
    return await list(query, context, sandbox.id);
  },
});

async function list(
  query: PageQuery,
  { sandboxes, workspace }: BrimbleContext,
  sandboxId?: string,
): Promise<BrimbleAnswer> {
  const filter = sandboxId === undefined ? {} : { sandboxId };
  const page = await sandboxes.listSnapshots(workspace, filter, toPageRequest(query));
  return { data: pageAnswer(query, page, page.items.map(snapshotObject)) };
}
