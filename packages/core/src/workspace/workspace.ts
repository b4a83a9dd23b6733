/**
 * The one tenancy concept. microsandbox's namespace is its slug, Modbox's `X-Workspace-Id` its
 * UUID, and Brimble's team its 24-hex id.
 */
export interface Workspace {
  readonly id: string;
  readonly uuid: string;
  readonly slug: string;
  readonly name: string;
  readonly description: string;
  readonly plan: string;
  /** Id of the person who made it; null for what keys and the operator made. */
  readonly createdBy: string | null;
  readonly createdAtMs: number;
  /** When name or description were changed last. */
  readonly updatedAtMs: number;
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
  return {
    ...identity,
    name: identity.slug,
    description: '',
    plan: 'standard',
    createdBy: null,
    updatedAtMs: identity.createdAtMs,
  };
}
