import {
  requireName,
  SandgateError,
  type Storage,
  type Workspace,
  type WorkspaceSelector,
} from '@sandgate/core';

/**
 * Which workspace a route is about when the request names none. `reach`: everything that the key
 * reaches. `own`: one, which for a key of all workspaces is the default one. `create`: like `own`,
 * and a workspace that is named and not there is made. `all`: all of them, whichever it names, so that
 * only a key of all workspaces may call it.
 */
export type RouteWorkspace = 'reach' | 'own' | 'create' | 'all';

const idForm = /^[0-9a-f]{24}$/;
const uuidForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The workspace that a request is about: what its header and its fields name, which must agree.
 * Each may give a slug, a UUID or an id.
 * @throws SandgateError `tenant_conflict`, `invalid_request`
 */
export async function selectWorkspace(
  storage: Storage,
  named: readonly string[],
  kind: RouteWorkspace,
): Promise<WorkspaceSelector> {
  const found = await Promise.all(named.map((name) => resolve(storage, name)));
  if (new Set(found.map(({ slug }) => slug)).size > 1) {
    throw new SandgateError('tenant_conflict', 'The request names two different workspaces');
  }
  if (kind === 'all') return { kind };
  const [workspace] = found;
  if (workspace === undefined) return { kind: kind === 'reach' ? 'reach' : 'own' };
  const create = kind === 'create' && found.every(({ bySlug }) => bySlug);
  return { kind: 'named', slug: workspace.slug, create };
}

/** What is not found keeps its name, and is refused like any workspace that is not there. */
async function resolve(storage: Storage, name: string) {
  if (!idForm.test(name) && !uuidForm.test(name)) {
    return { slug: requireName('Workspace', name), bySlug: true };
  }
  return { slug: (await findWorkspace(storage, name))?.slug ?? name, bySlug: false };
}

/** By its slug, UUID or id. Null when there is none. */
export async function findWorkspace(
  { workspaces }: Storage,
  name: string,
): Promise<Workspace | null> {
  if (idForm.test(name)) return await workspaces.findById(name);
  return uuidForm.test(name)
    ? await workspaces.findByUuid(name.toLowerCase())
    : await workspaces.findBySlug(name);
}
