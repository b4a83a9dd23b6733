import { defineBrimbleRoute } from '../brimble-route.ts';

export const deleteSnapshotRoute = defineBrimbleRoute({
  method: 'DELETE',
  path: '/sandboxes/snapshots/{snapshotId}',
  status: 204,
  scope: 'snapshot:write',
  safe: false,
  idempotent: true,
  async run(_, { sandboxes, workspace, params }) {
    await sandboxes.deleteSnapshot(workspace, params.snapshotId ?? '');
    return {};
  },
});
