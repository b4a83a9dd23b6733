import { defineBrimbleRoute } from '../brimble-route.ts';
import { findSandbox } from './find-sandbox.ts';

/** Also one that is still being paused, and one that was stopped, whose files are there. */
export const resumeSandboxRoute = defineBrimbleRoute({
  method: 'POST',
  path: '/sandboxes/{sandboxId}/resume',
  message: 'Sandbox resume requested',
  scope: 'sandbox:write',
  safe: false,
  idempotent: true,
  async run(_, context) {
    const { sandboxes, workspace, signal } = context;
    const { id, state } = await findSandbox(
      context,
      ['paused', 'pausing', 'resuming'],
      'be resumed',
    );
    const isStopped = state === 'stopped' || state === 'stopping';
    if (isStopped) await sandboxes.start(workspace, id, null, { signal });
    else await sandboxes.resume(workspace, id);
    return {};
  },
});
