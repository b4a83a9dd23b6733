import type { AuditedChange } from '../audit/audited-change.ts';
import { SandgateError } from '../error/sandgate-error.ts';
import type { Storage } from '../port/storage.ts';
import { type Workspace, workspaceFacts } from './workspace.ts';

/**
 * Puts a workspace on another plan. What is left of its keys' limits is counted anew by the next call,
 * and nothing that was used is forgotten.
 * @throws SandgateError `invalid_request` for a plan that there is none of, `workspace_not_found`
 */
export async function changePlan(
  {
    storage,
    plans,
    change,
  }: {
    readonly storage: Pick<Storage, 'workspaces'>;
    readonly plans: Readonly<Record<string, unknown>>;
    readonly change: AuditedChange;
  },
  workspace: Workspace,
  plan: string,
): Promise<Workspace> {
  const { target, workspaceId, details } = workspaceFacts(workspace);
  change.note({ target, workspaceId, details: { ...details, plan, before: workspace.plan } });
  if (!Object.hasOwn(plans, plan)) {
    const known = Object.keys(plans).join(', ');
    throw new SandgateError('invalid_request', `There is no plan of that name. Plans: ${known}`);
  }
  const changed = await storage.workspaces.setPlan(workspace.id, plan, change.append);
  if (changed !== null) return changed;
  throw new SandgateError('workspace_not_found', 'Workspace not found');
}
