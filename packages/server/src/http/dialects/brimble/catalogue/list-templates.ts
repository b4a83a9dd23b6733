import { defineBrimbleRoute } from '../brimble-route.ts';

/** An object around the list: one of the clients reads nothing else. */
export const listTemplatesRoute = defineBrimbleRoute({
  method: 'GET',
  path: '/sandbox/templates',
  message: 'Templates fetched',
  scope: 'sandbox:read',
  safe: true,
  run: async (_, { sandboxes }) => ({
    data: {
      templates: sandboxes.templates().map(({ name, displayName, description }) => ({
        name,
        display_name: displayName,
        description,
      })),
    },
  }),
});
