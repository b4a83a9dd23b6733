import { defineBrimbleRoute } from '../brimble-route.ts';

export const deleteVolumeRoute = defineBrimbleRoute({
  method: 'DELETE',
  path: '/volumes/{volumeId}',
  status: 204,
  scope: 'volume:write',
  safe: false,
  idempotent: true,
  async run(_, { sandboxes, workspace, params }) {
    await sandboxes.deleteVolume(workspace, params.volumeId ?? '');
    return {};
  },
});
