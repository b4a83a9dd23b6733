import { namedWorkspace } from '../../../people/workspace-caller.ts';
import { defineModboxRoute } from '../modbox-route.ts';
import { sandboxDetail } from './sandbox-detail.ts';
import { byEither, findSandbox } from './sandbox-reference.ts';

export const showSandboxRoute = defineModboxRoute({
  method: 'get',
  path: '/sandboxes/detail/{sandbox_id}',
  access: 'sandbox:read',
  workspace: 'sandbox',
  audit: null,
  sandbox: (_, { sandbox_id = '' }) => byEither(sandbox_id),
  async run(_, context) {
    const { sandboxes } = context.access;
    const reference = byEither(context.params.sandbox_id ?? '');
    const sandbox = await findSandbox(sandboxes, namedWorkspace(context), reference);
    context.about(sandbox.id);
    return sandboxDetail(sandbox, context);
  },
});
