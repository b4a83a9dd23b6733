import { audited, type IssuedKey, type KeyChangeDependencies, SandgateError } from '@sandgate/core';
import { actorOf } from '../../../authorize/actor-of.ts';
import type { BrimbleContext } from '../brimble-route.ts';

/**
 * Makes or changes the key of a workspace, and records it.
 * @throws SandgateError `plan_refused` where the plan has no keys, and what `work` throws
 */
export async function changeBrimbleKey(
  context: BrimbleContext,
  action: 'key.issue' | 'key.rotate',
  work: (dependencies: KeyChangeDependencies) => Promise<IssuedKey>,
): Promise<IssuedKey> {
  const { access, address, requestId, workspace, auditLog } = context;
  const attempt = {
    action,
    actor: actorOf(access),
    workspaceId: workspace.id,
    address,
    requestId,
  };
  return await audited(auditLog, attempt, async (change) => {
    if (!context.mayHaveKey(workspace)) {
      throw new SandgateError('plan_refused', 'Your plan has no API keys. Upgrade to create one.');
    }
    return await context.keysInTurn(workspace.id, () => work({ ...context, change }));
  });
}
