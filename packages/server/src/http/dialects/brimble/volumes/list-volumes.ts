import { defineBrimbleRoute } from '../brimble-route.ts';
import { pageAnswer, pageQuery, toPageRequest } from '../paging.ts';
import { volumeObject } from './volume-object.ts';

export const listVolumesRoute = defineBrimbleRoute({
  method: 'GET',
  path: '/volumes',
  message: 'Volumes fetched',
  scope: 'volume:read',
  safe: true,
  query: pageQuery,
  async run({ query }, { sandboxes, workspace }) {
    const page = await sandboxes.listVolumes(workspace, {}, toPageRequest(query));
    const items = page.items.map((volume) => volumeObject(volume, workspace));
    return { data: pageAnswer(query, page, items) };
  },
});
