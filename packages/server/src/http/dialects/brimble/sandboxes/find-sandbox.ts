import type { Sandbox } from '@sandgate/core';
import type { BrimbleContext } from '../brimble-route.ts';
import { type BrimbleStatus, requireStatus } from './sandbox-status.ts';

/**
 * The sandbox of the path, which must be in a status for what is wanted of it.
 * @throws SandgateError `sandbox_not_found`, `invalid_request`
 */
export async function findSandbox(
  { sandboxes, workspace, params }: BrimbleContext,
  allowed: readonly BrimbleStatus[],
  purpose: string,
): Promise<Sandbox> {
  const sandbox = await sandboxes.find(workspace, params.sandboxId ?? '', {
    includeDestroyed: true,
  });
  requireStatus(sandbox, allowed, purpose);
  return sandbox;
}
