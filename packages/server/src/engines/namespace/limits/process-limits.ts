import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SandboxResources } from '@sandgate/core';

/** Limits of setrlimit(2); each process has them for itself, but `processes` counts per user. */
export interface ProcessLimits {
  /**
   * RLIMIT_NPROC. Linux counts tasks per user *and* user namespace since 5.14, and checks the
   * namespaces outside against their own limit: set it after the sandbox's user namespace is made,
   * else everything that the server's user runs counts. Ignored for the host's user 0.
   */
  readonly processes?: number;
  /** RLIMIT_FSIZE: the largest file that a process may write. */
  readonly fileSizeBytes?: number;
  /** RLIMIT_NOFILE. */
  readonly openFiles?: number;
  /** RLIMIT_DATA: private writable memory of one process. */
  readonly dataBytes?: number;
}

const mebibyte = 1024 * 1024;

/**
 * Node reserves some 600 MiB of private writable memory before it runs a line, most of it never
 * touched, and does not start when the limit is below. So this much is added to the sandbox's memory.
 */
export const reservedDataMib = 1024;

const preferredOpenFiles = 4096;

/** The limits that processes get for themselves, given what cgroups already do for the whole sandbox. */
export function processLimitsFor(
  resources: SandboxResources,
  byCgroup: { readonly memory: boolean; readonly processes: boolean },
  openFiles: number,
): ProcessLimits {
  return {
    fileSizeBytes: resources.diskMib * mebibyte,
    openFiles,
    ...(byCgroup.processes ? {} : { processes: resources.maxProcesses }),
    ...(byCgroup.memory ? {} : { dataBytes: (resources.memoryMib + reservedDataMib) * mebibyte }),
  };
}

/** How many files a sandbox's process may open: a usual number, or the server's own limit below it. */
export function openFilesLimit(procRoot: string): number {
  try {
    const limits = readFileSync(join(procRoot, 'self/limits'), 'utf8');
    const hard = Number(/^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1] ?? preferredOpenFiles);
    return Math.min(hard, preferredOpenFiles);
  } catch {
    return preferredOpenFiles;
  }
}

/**
 * A script for `/bin/sh` that sets the limits, soft and hard, and core dumps to none. It ends the shell
 * with status 125 when one cannot be set, so that no sandbox runs without its limits.
 */
export function ulimitScript(limits: ProcessLimits): string {
  const lines = ['ulimit -c 0'];
  if (limits.openFiles !== undefined) lines.push(`ulimit -n ${limits.openFiles}`);
  // File sizes are in blocks of 512 bytes, also in bash when it is called sh; data is in KiB in dash, bash and busybox.
  if (limits.fileSizeBytes !== undefined) {
    lines.push(`ulimit -f ${Math.ceil(limits.fileSizeBytes / 512)}`);
  }
  if (limits.dataBytes !== undefined) {
    lines.push(`ulimit -d ${Math.ceil(limits.dataBytes / 1024)}`);
  }
  // -u in bash, -p in dash and busybox. dash leaves at an unknown option, hence the subshell.
  if (limits.processes !== undefined) {
    const count = limits.processes;
    lines.push(
      `if (ulimit -u) >/dev/null 2>&1; then ulimit -u ${count}; else ulimit -p ${count}; fi`,
    );
  }
  return lines.map((line) => `${line} || exit 125`).join('\n');
}
