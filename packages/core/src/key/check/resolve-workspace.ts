import { SandgateError } from '../../error/sandgate-error.ts';
import { newResourceId, newUuid } from '../../port/resource-id.ts';
import { defaultWorkspaceSlug, newWorkspace, type Workspace } from '../../workspace/workspace.ts';
import type { ApiKey } from '../api-key.ts';
import type { Check, CheckDependencies, CheckStep, WorkspaceSelector } from './check.ts';
import { invalidCredential } from './parse-credential.ts';

/** The same words whether or not the other workspace exists. */
const accessDenied = (): SandgateError =>
  new SandgateError('access_denied', 'This API key has no access to that namespace');

/**
 * Finds the one workspace that the rest of the request uses. Nothing after this step reads a
 * namespace from the request again, so what is authorised is what is used.
 */
export const resolveWorkspace: CheckStep = async (check: Check) => {
  const { key, request, dependencies } = check;
  if (key === null) return invalidCredential();
  const found =
    key.workspaceId === null
      ? await anyWorkspace(dependencies, request.workspace)
      : await ownWorkspace(dependencies, key, request.workspace);
  if (found instanceof SandgateError) return found;
  check.workspace = found;
  return null;
};

async function ownWorkspace(
  { storage }: CheckDependencies,
  key: ApiKey,
  selector: WorkspaceSelector,
): Promise<Workspace | SandgateError> {
  const own = key.workspaceId === null ? null : await storage.workspaces.findById(key.workspaceId);
  if (own === null || selector.kind === 'all') return accessDenied();
  return selector.kind !== 'named' || selector.slug === own.slug ? own : accessDenied();
}

/** For a key of all workspaces, and for development mode. Null stands for all of them. */
export async function anyWorkspace(
  { storage, clock, randomness }: Pick<CheckDependencies, 'storage' | 'clock' | 'randomness'>,
  selector: WorkspaceSelector,
): Promise<Workspace | null | SandgateError> {
  if (selector.kind === 'all' || selector.kind === 'reach') return null;
  const slug = selector.kind === 'named' ? selector.slug : defaultWorkspaceSlug;
  const found = await storage.workspaces.findBySlug(slug);
  if (found !== null) return found;
  if (slug !== defaultWorkspaceSlug && !(selector.kind === 'named' && selector.create === true)) {
    return new SandgateError('workspace_not_found', `Namespace '${slug}' not found`);
  }
  return await storage.workspaces.insertIfAbsent(
    newWorkspace({
      id: newResourceId(clock, randomness),
      uuid: newUuid(randomness),
      slug,
      createdAtMs: clock.nowMs(),
    }),
  );
}
