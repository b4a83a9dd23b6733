import { z } from 'zod';
import { namedWorkspace } from '../../../people/workspace-caller.ts';
import { defineModboxRoute } from '../modbox-route.ts';
import { told } from '../told-failure.ts';
import { byTask, findSandbox } from './sandbox-reference.ts';

/** Of one that is destroyed already, too. Answers when it is gone. */
export const destroySandboxRoute = defineModboxRoute({
  method: 'post',
  path: '/sandboxes/destroy',
  access: 'sandbox:write',
  workspace: 'sandbox',
  audit: null,
  safe: false,
  body: z.object({ task_id: z.string().min(1).max(255) }),
  failure: told({}),
  sandbox: ({ task_id }) => byTask(task_id),
  async run({ task_id }, context) {
    const { sandboxes } = context.access;
    const workspace = namedWorkspace(context);
    const { id } = await findSandbox(sandboxes, workspace, byTask(task_id));
    context.about(id);
    await sandboxes.destroy(workspace, id);
    return { success: true, error: null };
  },
});
