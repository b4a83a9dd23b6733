import {
  type ApiKey,
  audited,
  grants,
  keyTextOfChosen,
  mintKey,
  type Sandbox,
  SandgateError,
  type Scope,
} from '@sandgate/core';
import { actorOf } from '../../../authorize/actor-of.ts';
import { callerKey } from '../../../authorize/caller-key.ts';
import { namedWorkspace } from '../../../people/workspace-caller.ts';
import type { AuthorisedModboxContext } from '../modbox-route.ts';
import { taskIdOf } from './task-name.ts';

/** The variable in which the documentation has clients choose the secret of a sandbox. */
export const secretName = 'SANDBOX_API_KEY';

/** What its URL is good for. */
const scopes = [
  'sandbox:read',
  'sandbox:exec',
  'file:read',
  'file:write',
] as const satisfies readonly Scope[];

const scopesWithin = (caller: ApiKey | null): readonly Scope[] =>
  scopes.filter((scope) => caller === null || grants(caller.scopes, scope));

/** @throws SandgateError `scope_missing` for who could give its secret no right at all */
export function requireUse(context: AuthorisedModboxContext): void {
  if (scopesWithin(callerKey(context)).length > 0) return;
  throw new SandgateError(
    'scope_missing',
    `${secretName} stands for a key with some of ${scopes.join(', ')}, of which this one has none`,
  );
}

/**
 * Makes the key for which the secret of a sandbox stands: a child of the caller, for this sandbox alone, with
 * which it ends. A sandbox that cannot be given one is destroyed.
 */
export async function giveKey(
  sandbox: Sandbox,
  secret: string,
  context: AuthorisedModboxContext,
): Promise<void> {
  const { access, address, requestId, auditLog, limitsOf } = context;
  const workspace = namedWorkspace(context);
  const caller = callerKey(context);
  const attempt = {
    action: 'key.create',
    actor: actorOf(access),
    workspaceId: workspace.id,
    address,
    requestId,
  };
  try {
    await audited(auditLog, attempt, (change) =>
      mintKey(
        { ...context, change },
        { caller, workspace, limitsOf },
        {
          name: taskIdOf(sandbox).slice(0, 63),
          description: `${secretName} of a sandbox`,
          prefix: 'mbx_',
          text: keyTextOfChosen(context.serverKey(), sandbox.id, secret),
          scopes: scopesWithin(caller),
          restrictions: { sandboxId: sandbox.id },
        },
      ),
    );
  } catch (error) {
    // Why there is none is what matters.
    await access.sandboxes.destroy(workspace, sandbox.id).catch(() => undefined);
    throw error;
  }
}
