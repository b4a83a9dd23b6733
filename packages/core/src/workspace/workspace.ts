/**
 * The one tenancy concept. microsandbox's namespace is its slug, Modbox's `X-Workspace-Id` its
 * UUID, and Brimble's team its 24-hex id.
 */
export interface Workspace {
  readonly id: string;
  readonly uuid: string;
  readonly slug: string;
  readonly name: string;
  readonly plan: string;
  readonly createdAtMs: number;
}

/** What a record of the audit says of a workspace. */
export const workspaceFacts = ({ id, slug }: Workspace) => ({
  target: `workspace:${id}`,
  workspaceId: id,
  details: { slug },
});

/** The workspace of a call that names none. */
export const defaultWorkspaceSlug = 'default';

/** A workspace on the standard plan that is called like its slug. */
export function newWorkspace(
  identity: Pick<Workspace, 'id' | 'uuid' | 'slug' | 'createdAtMs'>,
): Workspace {
  return { ...identity, name: identity.slug, plan: 'standard' };
}
