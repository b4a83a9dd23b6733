import { type ApiKey, findKey, SandgateError, type Storage } from '@sandgate/core';

/** What a query names: a namespace by its slug, a key by its number or id. */
export interface NamedReach {
  readonly namespace?: string | undefined;
  readonly key?: string | undefined;
}

/** Workspaces by what they are called on the command line, where they are namespaces. */
export interface Namespaces {
  /** Slugs of all of them, by id. */
  slugs(): Promise<ReadonlyMap<string, string>>;
  /** @throws SandgateError `workspace_not_found` */
  idOf(slug: string): Promise<string>;
  /**
   * What is named, as the stores take it.
   * @throws SandgateError `workspace_not_found`, `key_not_found`
   */
  reach(named: NamedReach): Promise<{ readonly workspaceId?: string; readonly keyNumber?: number }>;
}

export function createNamespaces(storage: Storage): Namespaces {
  const idOf = async (slug: string): Promise<string> => {
    const workspace = await storage.workspaces.findBySlug(slug);
    if (workspace !== null) return workspace.id;
    throw new SandgateError('workspace_not_found', `Namespace '${slug}' not found`);
  };
  return {
    slugs: async () => new Map((await storage.workspaces.list()).map(({ id, slug }) => [id, slug])),
    idOf,
    reach: async ({ namespace, key }) => ({
      ...(namespace === undefined ? {} : { workspaceId: await idOf(namespace) }),
      ...(key === undefined ? {} : { keyNumber: (await findKey({ storage }, key)).number }),
    }),
  };
}

/** A workspace that is closed has no slug any more. */
export const nameIn = (slugs: ReadonlyMap<string, string>, id: string | null): string | null =>
  id === null ? null : (slugs.get(id) ?? id);

export const workspaceOf = async ({ workspaces }: Storage, { workspaceId }: ApiKey) =>
  workspaceId === null ? null : await workspaces.findById(workspaceId);
