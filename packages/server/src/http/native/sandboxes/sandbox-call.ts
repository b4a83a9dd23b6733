import { type Sandbox, SandgateError, type Workspace } from '@sandgate/core';
import type { AuthorisedContext } from '../route.ts';

/** Of a route that is about one workspace. */
export function ownWorkspace({ access: { workspace } }: AuthorisedContext): Workspace {
  if (workspace !== null) return workspace;
  throw new SandgateError('invalid_request', 'workspace: name one, in X-Workspace-Id');
}

/** What a call on one sandbox works with. */
export interface SandboxCall {
  readonly sandbox: Sandbox;
  readonly workspace: Workspace;
  readonly sandboxes: AuthorisedContext['access']['sandboxes'];
}

/**
 * The sandbox that a call is about, which its usage row then names. Everything after this goes by
 * its id: another one may take the name in between.
 * @throws SandgateError `sandbox_not_found`, `credential_invalid` for a ticket of another one
 */
export async function sandboxOf(
  context: AuthorisedContext,
  reference: string,
  options: { readonly includeDestroyed?: boolean } = {},
): Promise<SandboxCall> {
  const workspace = ownWorkspace(context);
  const { sandboxes } = context.access;
  const sandbox = await sandboxes.find(workspace, reference, options);
  const { boundTo } = context.exchange;
  if (boundTo !== null && boundTo !== sandbox.id) {
    throw new SandgateError('credential_invalid', 'The ticket is for another sandbox');
  }
  context.exchange.about(sandbox.id);
  return { sandbox, workspace, sandboxes };
}
