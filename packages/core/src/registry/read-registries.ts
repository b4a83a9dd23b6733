import { SandgateError } from '../error/sandgate-error.ts';
import type { RegistryGate, RegistryWelcome } from '../port/registry-gate.ts';
import type { Storage } from '../port/storage.ts';
import type { TextSealer } from '../port/text-sealer.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type { Registry } from './registry.ts';
import { openCredentials } from './use-registries.ts';

export interface RegistryReadDependencies {
  readonly storage: Pick<Storage, 'registries'>;
}

/** Oldest first. A workspace has few of them: all are read for a page. */
export async function listRegistries(
  { storage }: RegistryReadDependencies,
  workspace: Pick<Workspace, 'id'>,
  { limit, afterId = '' }: { readonly limit: number; readonly afterId?: string | undefined },
): Promise<{ readonly registries: readonly Registry[]; readonly nextAfterId: string | null }> {
  const found = (await storage.registries.list(workspace.id)).filter(({ id }) => id > afterId);
  const registries = found.slice(0, limit);
  return {
    registries,
    nextAfterId: found.length > limit ? (registries.at(-1)?.id ?? null) : null,
  };
}

/** Within a workspace; null is an operator, who reaches all of them. @throws SandgateError `not_found` */
export async function showRegistry(
  { storage }: RegistryReadDependencies,
  workspace: Pick<Workspace, 'id'> | null,
  id: string,
): Promise<Registry> {
  const registry = await storage.registries.find(workspace?.id, id);
  if (registry === null) throw new SandgateError('not_found', 'Registry not found');
  return registry;
}

/** How a registry takes the user and password that are stored. */
export type RegistryTest =
  | { readonly result: RegistryWelcome; readonly problem: null }
  | { readonly result: 'refused' | 'unreachable' | 'not_allowed'; readonly problem: string };

const failures: Readonly<Partial<Record<string, 'refused' | 'unreachable' | 'not_allowed'>>> = {
  registry_unauthorized: 'refused',
  registry_unreachable: 'unreachable',
  registry_not_allowed: 'not_allowed',
};

/** What it answers is an outcome, not a failure of the call. @throws SandgateError `not_found` */
export async function testRegistry(
  dependencies: RegistryReadDependencies & {
    readonly sealer: Pick<TextSealer, 'open'>;
    readonly registryGate: RegistryGate;
  },
  workspace: Pick<Workspace, 'id'> | null,
  id: string,
  signal: AbortSignal,
): Promise<RegistryTest> {
  const registry = await showRegistry(dependencies, workspace, id);
  try {
    const credentials = openCredentials(dependencies.sealer, registry);
    const result = await dependencies.registryGate.knock(registry, credentials, signal);
    return { result, problem: null };
  } catch (error) {
    const result = error instanceof SandgateError ? failures[error.code] : undefined;
    if (!(error instanceof SandgateError) || result === undefined) throw error;
    return { result, problem: error.message };
  }
}
