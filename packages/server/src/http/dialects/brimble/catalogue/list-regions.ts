import { defineBrimbleRoute } from '../brimble-route.ts';
import { region } from '../region.ts';

export const listRegionsRoute = defineBrimbleRoute({
  method: 'GET',
  path: '/sandboxes/regions',
  message: 'Regions fetched',
  scope: 'sandbox:read',
  safe: true,
  run: async () => ({ data: { regions: [region] } }),
});
