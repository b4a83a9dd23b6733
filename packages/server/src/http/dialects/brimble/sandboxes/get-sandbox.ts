import { defineBrimbleRoute } from '../brimble-route.ts';
import { sandboxObject } from './sandbox-object.ts';

/** A destroyed one is shown for as long as it is known. */
export const getSandboxRoute = defineBrimbleRoute({
  method: 'GET',
  path: '/sandboxes/{sandboxId}',
  message: 'Sandbox fetched',
  scope: 'sandbox:read',
  safe: true,
  async run(_, context) {
    const { sandboxes, workspace, params } = context;
    const sandbox = await sandboxes.find(workspace, params.sandboxId ?? '', {
      includeDestroyed: true,
    });
    return { data: await sandboxObject(sandbox, context) };
  },
});
