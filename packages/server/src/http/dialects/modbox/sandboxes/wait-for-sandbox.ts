import { z } from 'zod';
import { namedWorkspace } from '../../../people/workspace-caller.ts';
import { defineModboxRoute } from '../modbox-route.ts';
import { failureOf, statusOf } from './sandbox-detail.ts';
import { byTask, findSandbox } from './sandbox-reference.ts';

const seconds = (most: number, otherwise: number) =>
  z
    .number()
    .min(1)
    .max(most)
    .nullish()
    .transform((given) => given ?? otherwise);

/** Answers the moment that the sandbox is ready, or never will be; `poll_interval` is of no use here. */
export const waitForSandboxRoute = defineModboxRoute({
  method: 'post',
  path: '/sandboxes/wait',
  access: 'sandbox:read',
  workspace: 'sandbox',
  audit: null,
  body: z.object({
    task_id: z.string().min(1).max(255),
    timeout: seconds(600, 120),
    poll_interval: seconds(60, 5),
  }),
  sandbox: ({ task_id }) => byTask(task_id),
  async run({ task_id, timeout }, context) {
    const { clock, signal, access } = context;
    const workspace = namedWorkspace(context);
    const beganMs = clock.nowMs();
    const found = await findSandbox(access.sandboxes, workspace, byTask(task_id));
    context.about(found.id);
    const sandbox = await access.sandboxes.wait(workspace, found.id, {
      states: ['ready', 'paused', 'stopped', 'failed'],
      timeoutMs: timeout * 1_000,
      signal,
    });
    return {
      ready: sandbox.state === 'ready',
      elapsed_seconds: (clock.nowMs() - beganMs) / 1_000,
      status: statusOf[sandbox.state],
      error: failureOf(sandbox),
    };
  },
});
