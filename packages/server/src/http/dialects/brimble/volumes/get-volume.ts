import { defineBrimbleRoute } from '../brimble-route.ts';
import { volumeObject } from './volume-object.ts';

export const getVolumeRoute = defineBrimbleRoute({
  method: 'GET',
  path: '/volumes/{volumeId}',
  message: 'Volume fetched',
  scope: 'volume:read',
  safe: true,
  async run(_, { sandboxes, workspace, params }) {
    const volume = await sandboxes.findVolume(workspace, params.volumeId ?? '');
    return { data: volumeObject(volume, workspace) };
  },
});
