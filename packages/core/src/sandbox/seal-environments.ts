import { sealCommandEnvironments } from '../mcp/seal-command-environments.ts';
import type { SandboxStore } from '../port/sandbox-store.ts';
import type { SnapshotStore } from '../port/snapshot-store.ts';
import type { Storage } from '../port/storage.ts';
import type { TextSealer } from '../port/text-sealer.ts';
import type { SandboxDefinition } from './sandbox-definition.ts';

interface Defined {
  readonly id: string;
  readonly definition: SandboxDefinition;
}

/** The same store, in which values of environments are at rest only as what the sealer makes of them. */
export function sealEnvironments(storage: Storage, sealer: TextSealer): Storage {
  const codec = definitionCodec(sealer);
  return {
    ...storage,
    sandboxes: sealSandboxes(storage.sandboxes, codec),
    snapshots: sealSnapshots(storage.snapshots, codec),
    mcpServers: sealCommandEnvironments(storage.mcpServers, sealer),
  };
}

interface DefinitionCodec {
  seal<Record extends Defined>(record: Record): Record;
  open<Record extends Defined>(record: Record): Record;
  openOrNull<Record extends Defined>(record: Record | null): Record | null;
}

/** Bound to what it is of: the environment of one sandbox opens in no other's record. */
const aboutOf = ({ id }: Defined): string => `environment of ${id}`;

function definitionCodec(sealer: TextSealer): DefinitionCodec {
  const open = <Record extends Defined>(record: Record): Record => {
    const { sealed, ...definition } = record.definition;
    if (sealed === undefined) return record;
    const { text, keyVersion } = sealed;
    const opened = sealer.open(
      { sealed: Buffer.from(text, 'base64'), serverKeyVersion: keyVersion },
      aboutOf(record),
    );
    // It is kept as it is: the key that it opens under may come back.
    if (opened === null) return record;
    return { ...record, definition: { ...definition, ...JSON.parse(opened) } };
  };
  return {
    seal(record) {
      const { environment, secretEnvironment, ...rest } = record.definition;
      if (Object.keys(environment).length === 0 && secretEnvironment === undefined) return record;
      const plain = JSON.stringify({ environment, secretEnvironment });
      const { sealed, serverKeyVersion } = sealer.seal(plain, aboutOf(record));
      const text = Buffer.from(sealed).toString('base64');
      const definition: SandboxDefinition = {
        ...rest,
        environment: {},
        sealed: { text, keyVersion: serverKeyVersion },
      };
      return { ...record, definition };
    },
    open,
    openOrNull: (record) => (record === null ? null : open(record)),
  };
}

function sealSandboxes(store: SandboxStore, codec: DefinitionCodec): SandboxStore {
  return {
    findByName: async (...given) => codec.openOrNull(await store.findByName(...given)),
    findById: async (id) => codec.openOrNull(await store.findById(id)),
    list: async (workspaceId) => (await store.list(workspaceId)).map(codec.open),
    async page(...given) {
      const page = await store.page(...given);
      return { ...page, items: page.items.map(codec.open) };
    },
    insert: (sandbox) => store.insert(codec.seal(sandbox)),
    update: (sandbox) => store.update(codec.seal(sandbox)),
    recordActivity: (activity) => store.recordActivity(activity),
    countByState: () => store.countByState(),
    markAllStopped: (atMs) => store.markAllStopped(atMs),
    prune: (destroyedBeforeMs, most) => store.prune(destroyedBeforeMs, most),
  };
}

function sealSnapshots(store: SnapshotStore, codec: DefinitionCodec): SnapshotStore {
  return {
    insert: (snapshot) => store.insert(codec.seal(snapshot)),
    // The definition of a snapshot never changes.
    update: (snapshot) => store.update(snapshot),
    remove: (id) => store.remove(id),
    findById: async (id) => codec.openOrNull(await store.findById(id)),
    async page(...given) {
      const page = await store.page(...given);
      return { ...page, items: page.items.map(codec.open) };
    },
    list: async () => (await store.list()).map(codec.open),
  };
}
