import { defineBrimbleRoute } from '../brimble-route.ts';

/** Also of one that is destroyed already. */
export const destroySandboxRoute = defineBrimbleRoute({
  method: 'DELETE',
  path: '/sandboxes/{sandboxId}',
  status: 204,
  scope: 'sandbox:write',
  safe: false,
  idempotent: true,
  async run(_, { sandboxes, workspace, params }) {
    await sandboxes.destroy(workspace, params.sandboxId ?? '');
    return {};
  },
});
