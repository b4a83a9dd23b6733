import type { AuditContext } from '../../audit/audit-log.ts';
import { SandgateError } from '../../error/sandgate-error.ts';
import { type Awaitable, whenKnown } from '../../port/awaitable.ts';
import { newResourceId, newUuid } from '../../port/resource-id.ts';
import {
  defaultWorkspaceSlug,
  newWorkspace,
  type Workspace,
  workspaceFacts,
} from '../../workspace/workspace.ts';
import type { Check, CheckDependencies, CheckStep, WorkspaceSelector } from './check.ts';
import { invalidCredential } from './parse-credential.ts';

/** The same words whether or not the other workspace exists. */
export const accessDenied = (): SandgateError =>
  new SandgateError('access_denied', 'This API key has no access to that namespace');

/**
 * Finds the one workspace that the rest of the request uses. Nothing after this step reads a
 * namespace from the request again, so what is authorised is what is used.
 */
export const resolveWorkspace: CheckStep = (check: Check) => {
  const { key, request, dependencies } = check;
  if (key === null) return invalidCredential();
  // Found already, by whoever the key belongs to.
  if (check.workspace !== null) return null;
  const finding =
    key.workspaceId === null
      ? findWorkspace(dependencies, request.workspace)
      : ownWorkspace(dependencies, key.workspaceId, request.workspace);
  return whenKnown(finding, (found) => {
    if (found instanceof SandgateError) return found;
    if (found !== null && 'newSlug' in found) check.newSlug = found.newSlug;
    else check.workspace = found;
    return null;
  });
};

/** The last step: a call that is refused for any reason leaves no workspace behind. */
export const createWorkspace: CheckStep = (check: Check) => {
  if (check.newSlug === null) return null;
  const { dependencies, key, newSlug, request } = check;
  const context: AuditContext = {
    actor: key === null ? { kind: 'stranger' } : { kind: 'key', keyNumber: key.number },
    address: request.address,
    requestId: request.requestId,
  };
  return whenKnown(insertWorkspace(dependencies, newSlug, context), (workspace) => {
    check.workspace = workspace;
    return null;
  });
};

function ownWorkspace(
  { storage }: CheckDependencies,
  id: string,
  selector: WorkspaceSelector,
): Awaitable<Workspace | SandgateError> {
  return whenKnown(storage.workspaces.findById(id), (own) => {
    if (own === null || selector.kind === 'all') return accessDenied();
    return selector.kind !== 'named' || selector.slug === own.slug ? own : accessDenied();
  });
}

type Sources = Pick<CheckDependencies, 'storage' | 'clock' | 'randomness' | 'auditLog'>;

/** For a key of all workspaces. Null stands for all of them. */
function findWorkspace(
  sources: Sources,
  selector: WorkspaceSelector,
): Awaitable<Workspace | { readonly newSlug: string } | null | SandgateError> {
  if (selector.kind === 'all' || selector.kind === 'reach') return null;
  return findOrName(sources, selector);
}

async function findOrName(
  { storage }: Sources,
  selector: WorkspaceSelector,
): Promise<Workspace | { readonly newSlug: string } | SandgateError> {
  const slug = selector.kind === 'named' ? selector.slug : defaultWorkspaceSlug;
  const found = await storage.workspaces.findBySlug(slug);
  if (found !== null) return found;
  if (slug !== defaultWorkspaceSlug && !(selector.kind === 'named' && selector.create === true)) {
    return new SandgateError('workspace_not_found', `Namespace '${slug}' not found`);
  }
  return { newSlug: slug };
}

async function insertWorkspace(
  { storage, clock, randomness, auditLog }: Sources,
  slug: string,
  context: AuditContext,
): Promise<Workspace> {
  return await storage.workspaces.insertIfAbsent(
    newWorkspace({
      id: newResourceId(clock, randomness),
      uuid: newUuid(randomness),
      slug,
      createdAtMs: clock.nowMs(),
    }),
    (made) =>
      auditLog.append([{ ...context, action: 'workspace.create', ...workspaceFacts(made) }]),
  );
}

/** As a key of all workspaces finds it, for development mode, where nothing can refuse the call later. */
export async function anyWorkspace(
  sources: Sources,
  selector: WorkspaceSelector,
  context: AuditContext,
): Promise<Workspace | null | SandgateError> {
  const found = await findWorkspace(sources, selector);
  if (found === null || !('newSlug' in found)) return found;
  return await insertWorkspace(sources, found.newSlug, context);
}
