import { SandgateError } from '../error/sandgate-error.ts';
import type { KeyRestrictions } from '../key/key-restrictions.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type { DoorSandboxes } from './door-sandboxes.ts';
import { snapshotNotFound, volumeNotFound } from './not-found.ts';
import { narrowStartDefaults, requireRestrictedSandbox } from './require-restricted-sandbox.ts';
import type { Sandbox } from './sandbox.ts';
import type { SandboxResources } from './sandbox-definition.ts';
import type { SandboxEvent } from './sandbox-event.ts';
import { pageOfHeld, SandboxReach } from './sandbox-reach.ts';
import type { Sandboxes } from './sandboxes.ts';
import type { Snapshot } from './snapshot.ts';
import { startOrder } from './start-order.ts';

/** What is started without being asked for otherwise. */
export interface SandboxDefaults {
  readonly image: string;
  readonly resources: SandboxResources;
}

const restricts = ({ mcpTools: _, ...restrictions }: KeyRestrictions): boolean =>
  Object.keys(restrictions).length > 0;

/**
 * The sandboxes that a key may touch, in the ways in which it may. Every door works with this and
 * nothing else. What is out of reach is not found, like what is not there; what may not be made is
 * refused with `key_restricted`.
 */
export function restrictSandboxes(
  sandboxes: Sandboxes,
  restrictions: KeyRestrictions,
  defaults: SandboxDefaults,
): DoorSandboxes {
  if (!restricts(restrictions)) return sandboxes;
  const reach = new SandboxReach(sandboxes, restrictions);

  /** By its id from here: another sandbox may take the name in between. */
  const within =
    <Rest extends readonly unknown[], Result>(
      work: (workspace: Workspace, reference: string, ...rest: Rest) => Promise<Result>,
    ) =>
    async (workspace: Workspace, reference: string, ...rest: Rest): Promise<Result> =>
      await work(workspace, (await reach.find(workspace, reference)).id, ...rest);

  const streamWithin = <Rest extends readonly unknown[], Item>(
    work: (workspace: Workspace, reference: string, ...rest: Rest) => AsyncIterable<Item>,
  ) =>
    async function* (workspace: Workspace, reference: string, ...rest: Rest): AsyncIterable<Item> {
      yield* work(workspace, (await reach.find(workspace, reference)).id, ...rest);
    };

  /** What is started along is bounded as it would be by itself. */
  const requireDependencies = async (
    workspace: Workspace,
    name: string,
    dependsOn: readonly string[],
  ): Promise<void> => {
    const dependenciesOf = async (each: string) => {
      const found = await reach.find(workspace, each);
      requireRestrictedSandbox(reach, restrictions, {
        name: found.name,
        template: found.template,
        resources: undefined,
        otherwise: found.definition.resources,
        defaults: defaults.resources,
      });
      return found.definition.dependsOn;
    };
    await startOrder(name, dependsOn, dependenciesOf);
  };

  const findSnapshot = async (workspace: Workspace, snapshotId: string): Promise<Snapshot> => {
    const snapshot = await sandboxes.findSnapshot(workspace, snapshotId);
    if (await reach.holdsId(workspace, snapshot.sandboxId)) return snapshot;
    throw snapshotNotFound();
  };

  /** Volumes belong to no sandbox, but to a key of one sandbox there are only those attached to it. */
  const { sandboxId } = restrictions;
  const refuseVolumes = (): void => {
    if (sandboxId === undefined) return;
    throw new SandgateError(
      'key_restricted',
      'This API key is restricted to one sandbox, and makes and deletes no volumes',
    );
  };

  const holdsEvent = async (workspace: Workspace, event: SandboxEvent): Promise<boolean> => {
    const about = sandboxOf(event);
    // To a key of one sandbox there is no volume that is not attached to it.
    if (event.kind === 'volume.state' && (sandboxId ?? about) !== about) return false;
    return about === null || (await reach.holdsId(workspace, about));
  };

  const gated: { readonly [Method in keyof DoorSandboxes]: Sandboxes[Method] } = {
    async create(workspace, requested, options) {
      if (sandboxId !== undefined) {
        throw new SandgateError(
          'key_restricted',
          'This API key is restricted to one sandbox, and makes no others',
        );
      }
      const snapshot =
        requested.fromSnapshot === undefined
          ? null
          : await findSnapshot(workspace, requested.fromSnapshot);
      const wanted = requested.registryImage?.reference ?? requested.template;
      const template = snapshot?.template ?? wanted ?? defaults.image;
      const resources = requireRestrictedSandbox(reach, restrictions, {
        name: requested.name,
        template,
        resources: requested.resources,
        otherwise: snapshot?.definition.resources,
        defaults: defaults.resources,
      });
      await requireDependencies(workspace, requested.name ?? '', requested.dependsOn ?? []);
      return await sandboxes.create(workspace, { ...requested, resources }, options);
    },
    async start(workspace, reference, requested, options) {
      const stored = await reach.findIfThere(workspace, reference);
      if (stored === null && sandboxId !== undefined) await reach.find(workspace, reference);
      if (stored !== null) await reach.find(workspace, reference);
      const base = requested?.image === undefined ? stored : null;
      const resources = requireRestrictedSandbox(reach, restrictions, {
        name: stored?.name ?? reference,
        template: requested?.image ?? stored?.template ?? defaults.image,
        resources: requested?.resources,
        otherwise: base?.definition.resources,
        defaults: defaults.resources,
      });
      const dependsOn = requested?.dependsOn ?? stored?.definition.dependsOn ?? [];
      await requireDependencies(workspace, stored?.name ?? reference, dependsOn);
      const wanted = requested === null && stored !== null ? null : { ...requested, resources };
      // By its id: another sandbox may take the name in between.
      return await sandboxes.start(workspace, stored?.id ?? reference, wanted, options);
    },
    stop: within(sandboxes.stop),
    destroy: within(sandboxes.destroy),
    pause: within(sandboxes.pause),
    resume: within(sandboxes.resume),
    setEgress: within(sandboxes.setEgress),
    update: within(async (workspace, reference, changes) => {
      const { name } = changes;
      if (name !== undefined && !name.startsWith(restrictions.sandboxNamePrefix ?? '')) {
        throw new SandgateError(
          'key_restricted',
          `The names of this API key's sandboxes begin with "${restrictions.sandboxNamePrefix}"`,
        );
      }
      return await sandboxes.update(workspace, reference, changes);
    }),
    find: (workspace, reference, options) => reach.find(workspace, reference, options),
    list: (workspace, filter, page) =>
      pageOfHeld<Sandbox>(
        (part) => sandboxes.list(workspace, filter, part),
        (sandbox) => reach.holds(sandbox),
        page,
      ),
    async wait(workspace, reference, request) {
      const { id } = await reach.find(workspace, reference, { includeDestroyed: true });
      return await sandboxes.wait(workspace, id, request);
    },
    async read(workspace, reference) {
      const readings = await sandboxes.read(workspace, reference);
      const held = readings.filter(({ sandbox }) => reach.holds(sandbox));
      if (workspace !== null && reference !== undefined && held.length === 0) {
        await reach.find(workspace, reference);
      }
      return held;
    },
    stats: within(sandboxes.stats),
    egressDenials: within(sandboxes.egressDenials),
    readLog: within(sandboxes.readLog),
    followLog: streamWithin(sandboxes.followLog),
    pullImage: sandboxes.pullImage,
    templates: () => sandboxes.templates().filter(({ name }) => reach.holdsTemplate(name)),
    startDefaults: () => narrowStartDefaults(sandboxes.startDefaults(), restrictions),
    usage: sandboxes.usage,
    async *events(workspace, options) {
      if (workspace === null) {
        throw new SandgateError('key_restricted', 'Name the workspace whose events are wanted');
      }
      for await (const event of sandboxes.events(workspace, options)) {
        if (await holdsEvent(workspace, event)) yield event;
      }
    },
    async pastEvents(workspace, options) {
      const past = await sandboxes.pastEvents(workspace, options);
      const held: SandboxEvent[] = [];
      for (const event of past.events) if (await holdsEvent(workspace, event)) held.push(event);
      return { ...past, events: held };
    },
    exec: within(sandboxes.exec),
    runCode: within(sandboxes.runCode),
    files: within(sandboxes.files),
    openTerminal: within(sandboxes.openTerminal),
    dial: within(sandboxes.dial),
    startProcess: within(sandboxes.startProcess),
    listProcesses: within(sandboxes.listProcesses),
    findProcess: within(sandboxes.findProcess),
    processOutput: streamWithin(sandboxes.processOutput),
    writeProcessInput: within(sandboxes.writeProcessInput),
    signalProcess: within(sandboxes.signalProcess),
    waitForProcess: within(sandboxes.waitForProcess),
    deleteProcess: within(sandboxes.deleteProcess),
    nextSnapshotMs: within(sandboxes.nextSnapshotMs),
    createSnapshot: within(sandboxes.createSnapshot),
    findSnapshot,
    async waitForSnapshot(workspace, snapshotId, request) {
      await findSnapshot(workspace, snapshotId);
      return await sandboxes.waitForSnapshot(workspace, snapshotId, request);
    },
    listSnapshots: (workspace, filter, page) =>
      pageOfHeld<Snapshot>(
        (part) => sandboxes.listSnapshots(workspace, filter, part),
        (snapshot) => reach.holdsId(workspace, snapshot.sandboxId),
        page,
      ),
    async deleteSnapshot(workspace, snapshotId) {
      await findSnapshot(workspace, snapshotId);
      return await sandboxes.deleteSnapshot(workspace, snapshotId);
    },
    async createVolume(workspace, request) {
      refuseVolumes();
      return await sandboxes.createVolume(workspace, request);
    },
    async findVolume(workspace, reference) {
      const volume = await sandboxes.findVolume(workspace, reference);
      if (sandboxId === undefined || volume.attachedSandboxId === sandboxId) return volume;
      throw volumeNotFound();
    },
    listVolumes: async (workspace, filter, page) =>
      sandboxId === undefined
        ? await sandboxes.listVolumes(workspace, filter, page)
        : await pageOfHeld(
            (part) => sandboxes.listVolumes(workspace, filter, part),
            (volume) => volume.attachedSandboxId === sandboxId,
            page,
          ),
    async deleteVolume(workspace, reference) {
      refuseVolumes();
      return await sandboxes.deleteVolume(workspace, reference);
    },
  };
  return gated;
}

/** Null for what happened to no sandbox in particular. */
function sandboxOf(event: SandboxEvent): string | null {
  if (event.kind === 'volume.state') return event.attachedSandboxId;
  return event.kind === 'events.missed' ? null : event.sandboxId;
}
