import { defineBrimbleRoute } from '../brimble-route.ts';
import { findSandbox } from './find-sandbox.ts';

/** Answers when it is paused: clients resume right after. */
export const pauseSandboxRoute = defineBrimbleRoute({
  method: 'POST',
  path: '/sandboxes/{sandboxId}/pause',
  message: 'Sandbox pause requested',
  scope: 'sandbox:write',
  safe: false,
  idempotent: true,
  async run(_, context) {
    const { id } = await findSandbox(context, ['ready'], 'be paused');
    await context.sandboxes.pause(context.workspace, id);
    return {};
  },
});
