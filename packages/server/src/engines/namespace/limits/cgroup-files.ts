import { closeSync, constants, openSync, readFileSync, rmdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { SandgateError } from '@sandgate/core';

/**
 * Writes one value to a control file. Synchronous, as the kernel takes microseconds. Never creates
 * the file, so that a missing control is an error and not a stray file.
 */
export function writeControl(directory: string, file: string, value: string): void {
  const descriptor = openSync(join(directory, file), constants.O_WRONLY);
  try {
    writeSync(descriptor, value);
  } finally {
    closeSync(descriptor);
  }
}

/** Opens controls for writing: all of them, or none. The caller closes them. */
export function openControls(paths: readonly string[]): number[] {
  const opened: number[] = [];
  try {
    for (const path of paths) opened.push(openSync(path, constants.O_WRONLY));
    return opened;
  } catch (cause) {
    for (const descriptor of opened) closeSync(descriptor);
    throw cause;
  }
}

export function readControl(directory: string, file: string): string {
  return readFileSync(join(directory, file), 'utf8').trim();
}

/** As `writeControl`, for a control that may be missing or refuse; false when it did. */
export function tryWriteControl(directory: string, file: string, value: string): boolean {
  try {
    writeControl(directory, file, value);
    return true;
  } catch {
    return false;
  }
}

/** Processes of a cgroup that this process can see; none when the cgroup is gone. */
export function processesIn(directory: string): readonly number[] {
  try {
    const lines = readControl(directory, 'cgroup.procs').split('\n');
    // A process outside of this one's PID namespace is listed as 0.
    return lines.map(Number).filter((pid) => pid > 0);
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT' || errorCodeOf(error) === 'ENODEV') return [];
    throw error;
  }
}

export function errorCodeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/**
 * Asks again until `condition` holds or the time is over, first at once and then ever less often.
 * The kernel offers no event that Node could wait for on all cgroup versions.
 */
export async function pollUntil(condition: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (let attempt = 0; !condition(); attempt += 1) {
    if (performance.now() > deadline) return false;
    if (attempt < 10) await setImmediate();
    else await setTimeout(Math.min(attempt - 9, 20));
  }
  return true;
}

const removalTimeoutMs = 2_000;

/** Removes an empty cgroup. A process that has just died keeps it busy for a moment. */
export async function removeCgroup(directory: string): Promise<void> {
  const removed = await pollUntil(() => {
    try {
      rmdirSync(directory);
      return true;
    } catch (error) {
      if (errorCodeOf(error) === 'ENOENT') return true;
      if (errorCodeOf(error) === 'EBUSY') return false;
      throw error;
    }
  }, removalTimeoutMs);
  if (!removed) {
    throw new SandgateError('engine_failed', 'A resource group could not be removed: it is busy.', {
      detail: directory,
    });
  }
}
