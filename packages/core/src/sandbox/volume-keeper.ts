import { SandgateError } from '../error/sandgate-error.ts';
import type { EngineVolumes } from '../port/engine.ts';
import { newResourceId } from '../port/resource-id.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { volumeNotFound } from './not-found.ts';
import type { SandboxAdmission } from './sandbox-admission.ts';
import type { SandboxParts } from './sandbox-parts.ts';
import type { Sandboxes } from './sandboxes.ts';
import { artifactName } from './snapshot.ts';
import type { Volume } from './volume.ts';

type VolumeMethods = Pick<
  Sandboxes,
  'createVolume' | 'findVolume' | 'listVolumes' | 'deleteVolume'
>;

export interface VolumeKeeper extends VolumeMethods {
  /** Frees all volumes, and finishes what was begun. */
  reconcile(): Promise<void>;
}

interface KeeperParts extends SandboxParts {
  readonly admission: SandboxAdmission;
}

/** 16 TiB: more is a slip of the unit. */
const largestMib = 16_777_216;

export function createVolumeKeeper(parts: KeeperParts): VolumeKeeper {
  const { storage, engine, clock, admission } = parts;

  const requireEngine = (): EngineVolumes => {
    if (engine.volumes !== undefined) return engine.volumes;
    throw new SandgateError(
      'capability_missing',
      'This server has no volumes. Run msb doctor to see what is missing',
    );
  };

  const announce = (volume: Volume, state: Volume['state'] | 'deleted'): void => {
    const { id: volumeId, name, attachedSandboxId } = volume;
    parts.events.publish(volume.workspaceId, {
      ...{ kind: 'volume.state', volumeId, name, state, attachedSandboxId },
    });
  };

  const find = async (workspace: Workspace, reference: string): Promise<Volume> => {
    const byId = await storage.volumes.findById(reference);
    const found =
      byId?.workspaceId === workspace.id
        ? byId
        : await storage.volumes.findByName(workspace.id, reference);
    if (found !== null) return found;
    throw volumeNotFound();
  };

  /** Ends what is left of a volume that is being removed or could not be made. */
  const discard = async (volumes: EngineVolumes | undefined, volume: Volume): Promise<void> => {
    await volumes?.remove(volume.id);
    await storage.volumes.remove(volume.id);
    admission.drop(volume.id);
    announce(volume, 'deleted');
  };

  return {
    async createVolume(workspace, { name, sizeMib, region = null }) {
      const volumes = requireEngine();
      requireVolume(name, sizeMib);
      const nowMs = clock.nowMs();
      const volume: Volume = {
        id: newResourceId(clock, parts.randomness),
        workspaceId: workspace.id,
        name,
        sizeMib,
        state: 'creating',
        region,
        attachedSandboxId: null,
        guestPath: null,
        lastAttachedAtMs: null,
        createdAtMs: nowMs,
        updatedAtMs: nowMs,
      };
      const caller = await parts.caller();
      admission.keep(volume.id, { volumes: 1, volumeMib: sizeMib }, workspace, caller);
      try {
        await storage.volumes.insert(volume);
      } catch (error) {
        admission.drop(volume.id);
        throw error;
      }
      announce(volume, 'creating');
      // In its turn: what is deleted meanwhile would leave a disk behind that nobody knows of.
      return await parts.inTurn(volume.id, async () => {
        try {
          await volumes.create(volume.id, { sizeMib });
          const readyAtMs = clock.nowMs();
          await storage.volumes.setState(volume.id, 'ready', readyAtMs);
          const ready: Volume = { ...volume, state: 'ready', updatedAtMs: readyAtMs };
          announce(ready, 'ready');
          return ready;
        } catch (error) {
          const onFailure = (later: unknown) => parts.onBackgroundError(later, volume);
          await parts.settler.settle(() => discard(volumes, volume), onFailure);
          throw error;
        }
      });
    },
    findVolume: find,
    listVolumes: (workspace, filter, page) => storage.volumes.page(workspace.id, filter, page),
    async deleteVolume(workspace, reference) {
      const volumes = requireEngine();
      const volume = await find(workspace, reference);
      return await parts.inTurn(volume.id, async () => {
        if (!(await storage.volumes.beginRemoval(volume.id, clock.nowMs()))) {
          throw new SandgateError(
            'volume_attached',
            'Volume is attached; detach it before deleting',
            { data: { sandboxId: (await find(workspace, volume.id)).attachedSandboxId } },
          );
        }
        announce(volume, 'deleting');
        await discard(volumes, volume);
        return volume;
      });
    },
    async reconcile() {
      // A disk of an unknown id is left alone: the database may be an older copy.
      for (const volume of await storage.volumes.list()) {
        if (volume.attachedSandboxId !== null) {
          await storage.volumes.detach(volume.attachedSandboxId, clock.nowMs());
        }
        const { id, workspaceId, sizeMib } = volume;
        // Nobody was told of one that was being made, and everybody of one that was being removed.
        if (volume.state !== 'ready') {
          await parts.settler.settle(
            () => discard(engine.volumes, volume),
            (error) => parts.onBackgroundError(error, volume),
          );
        } else admission.loadKept(id, workspaceId, { volumes: 1, volumeMib: sizeMib });
      }
    },
  };
}

function requireVolume(name: string, sizeMib: number): void {
  const problems = [
    ...(artifactName.test(name)
      ? []
      : ['the name of a volume is 1 to 40 characters of a-z, 0-9 and hyphens']),
    ...(Number.isInteger(sizeMib) && sizeMib >= 1 && sizeMib <= largestMib
      ? []
      : [`its size is a whole number of MiB, up to ${largestMib}`]),
  ];
  if (problems.length > 0) throw new SandgateError('invalid_request', problems.join('; '));
}
