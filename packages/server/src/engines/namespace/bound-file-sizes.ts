import type { SandboxResources } from '@sandgate/core';

const mebibyte = 1_048_576;
const pageBytes = 4_096;
const maxTmpBytes = 256 * mebibyte;
const maxShmBytes = 16 * mebibyte;
/** For the sandbox's scripts, which come in one call. */
const maxEngineBytes = 8 * mebibyte;

/** How much can be written to each of a sandbox's file systems. */
export interface FileSizes {
  readonly rootBytes: number;
  readonly tmpBytes: number;
  readonly shmBytes: number;
  readonly engineBytes: number;
}

/**
 * Files are in memory and count to the sandbox's limit of it. So that whoever fills them is told that
 * there is no space left, before the kernel ends the sandbox for its memory, they all together take
 * less than four fifths of it, whatever the size of the disk.
 */
export function boundFileSizes({ memoryMib, diskMib }: SandboxResources): FileSizes {
  const share = (part: number, maxBytes: number): number =>
    Math.floor(Math.min(maxBytes, memoryMib * mebibyte * part) / pageBytes) * pageBytes;
  const diskBytes = diskMib * mebibyte;
  return {
    rootBytes: share(1 / 2, diskBytes),
    tmpBytes: share(3 / 16, Math.min(diskBytes, maxTmpBytes)),
    shmBytes: share(1 / 16, maxShmBytes),
    engineBytes: share(1 / 32, maxEngineBytes),
  };
}
