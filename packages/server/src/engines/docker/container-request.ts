import type { EngineSandboxSpec, SandboxResources } from '@sandgate/core';
import type Docker from 'dockerode';
import { firstPrograms } from './container-agent.ts';
import { runDirectory } from './program-wrapper.ts';

export const instanceLabel = 'sandgate.instance';
export const sandboxLabel = 'sandgate.sandbox';
export const imageLabel = 'sandgate.image';
export const snapshotLabel = 'sandgate.snapshot';

const mebibyte = 1_048_576;
/** uid and gid of everything in a sandbox. */
export const sandboxUser = 1_000;

/** What Docker masks by itself, and all of sysfs: it tells of the machine and not of the sandbox. */
const maskedPaths = [
  ...['asound', 'acpi', 'kcore', 'keys', 'latency_stats', 'timer_list', 'timer_stats'].map(
    (name) => `/proc/${name}`,
  ),
  ...['/proc/sched_debug', '/proc/scsi', '/sys'],
];

export interface ContainerIdentity {
  readonly name: string;
  readonly instance: string;
  /** Reference of the image to start from. */
  readonly image: string;
  /** The template's image id: what a later start is compared with. */
  readonly imageId: string;
  readonly runtime: string | null;
}

/** A container without network, capabilities and ways to them, for one sandbox. */
export function containerRequest(
  spec: EngineSandboxSpec,
  identity: ContainerIdentity,
): Docker.ContainerCreateOptions {
  const { instance, image, imageId, runtime } = identity;
  const owned = `uid=${sandboxUser},gid=${sandboxUser}`;
  return {
    name: identity.name,
    Image: image,
    Hostname: spec.hostname,
    User: `${sandboxUser}:${sandboxUser}`,
    WorkingDir: '/',
    Entrypoint: [...firstPrograms],
    Cmd: [],
    OpenStdin: true,
    StdinOnce: true,
    Labels: { [instanceLabel]: instance, [sandboxLabel]: spec.id, [imageLabel]: imageId },
    HostConfig: {
      NetworkMode: 'none',
      ...resourceLimits(spec.resources),
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      MaskedPaths: maskedPaths,
      IpcMode: 'private',
      ShmSize: spec.resources.diskMib * mebibyte,
      Tmpfs: {
        '/tmp': `rw,nosuid,nodev,exec,mode=1777,size=${spec.resources.diskMib}m`,
        [runDirectory]: `rw,nosuid,nodev,noexec,mode=700,${owned},size=1m`,
      },
      Mounts: spec.mounts.map(({ hostPath, guestPath, readOnly }) => ({
        Type: 'bind' as const,
        Source: hostPath,
        Target: guestPath,
        ReadOnly: readOnly,
      })),
      LogConfig: { Type: 'none', Config: {} },
      ...(runtime === null ? {} : { Runtime: runtime }),
    },
  };
}

/** What may be changed of a container that is there. */
export function resourceLimits({ memoryMib, cpus, maxProcesses }: SandboxResources) {
  const memory = Math.floor(memoryMib * mebibyte);
  return {
    Memory: memory,
    // The same number: no swap.
    MemorySwap: memory,
    NanoCpus: Math.round(cpus * 1e9),
    PidsLimit: maxProcesses,
  };
}
