import type { SandboxFiles } from '@sandgate/core';
import type { AuthorisedContext } from '../route.ts';
import { sandboxOf } from '../sandboxes/sandbox-call.ts';

/**
 * The files of the sandbox that a call is about.
 * @throws SandgateError `sandbox_not_found`, `credential_invalid` for a ticket of another one
 */
export async function filesOf(
  context: AuthorisedContext,
  reference: string,
): Promise<SandboxFiles> {
  const { sandbox, workspace, sandboxes } = await sandboxOf(context, reference);
  return await sandboxes.files(workspace, sandbox.id);
}
