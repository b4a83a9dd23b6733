import type { Sandbox, Storage } from '@sandgate/core';
import { createNamespaces, nameIn } from './namespaces.ts';

export interface SandboxView {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly state: Sandbox['state'];
  readonly image: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export interface Counts {
  readonly keys: number;
  readonly sandboxes: { readonly total: number; readonly running: number };
}

/** What is in the store. */
export interface StoreOverview {
  /** @throws SandgateError `workspace_not_found` */
  listSandboxes(namespace?: string): Promise<readonly SandboxView[]>;
  counts(): Promise<Counts>;
}

export function createStoreOverview(storage: Storage): StoreOverview {
  const namespaces = createNamespaces(storage);
  return {
    async listSandboxes(namespace) {
      const sandboxes = await storage.sandboxes.list(
        namespace === undefined ? undefined : await namespaces.idOf(namespace),
      );
      const names = await namespaces.slugs();
      return sandboxes.map((sandbox) => sandboxView(sandbox, names));
    },
    async counts() {
      const byState = await storage.sandboxes.countByState();
      const total = Object.entries(byState)
        .filter(([state]) => state !== 'destroyed')
        .reduce((sum, [, count]) => sum + count, 0);
      return {
        keys: await storage.keys.countLive(),
        sandboxes: { total, running: byState.ready ?? 0 },
      };
    },
  };
}

function sandboxView(sandbox: Sandbox, slugs: ReadonlyMap<string, string>): SandboxView {
  const { id, name, state, createdAtMs, updatedAtMs } = sandbox;
  return {
    id,
    namespace: nameIn(slugs, sandbox.workspaceId) ?? '',
    name,
    state,
    image: sandbox.definition.image,
    createdAtMs,
    updatedAtMs,
  };
}
