import { execFile } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync, rmdirSync, statSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SandgateError } from '@sandgate/core';
import { explainShortage } from '../descriptor-shortage.ts';
import { findProgram, systemSearchPath } from '../find-program.ts';
import { readMountPoints } from '../launcher/mount-points.ts';
import { pollUntil } from '../limits/cgroup-files.ts';

const run = promisify(execFile);
const mebibyte = 1_048_576;
const programDeadlineMs = 120_000;
/** What was written is flushed to the disk before the kernel lets go of a device. */
const releaseDeadlineMs = 20_000;

type Program = 'mkfs.ext4' | 'mount' | 'umount' | 'chown';

/**
 * Makes a disk: an image of an ext4 file system for a loop device, whose size the kernel enforces. Its
 * root directory belongs to `uid`. It takes room as it is filled.
 */
export async function makeDisk(image: string, sizeMib: number, uid: number): Promise<void> {
  const partial = `${image}.partial`;
  try {
    const file = await open(partial, 'wx', 0o600);
    try {
      await file.truncate(sizeMib * mebibyte);
    } finally {
      await file.close();
    }
    const extended = `nodiscard,lazy_itable_init=1,lazy_journal_init=1,root_owner=${uid}:${uid}`;
    await runProgram('mkfs.ext4', ['-q', '-F', '-m', '0', '-E', extended, partial]);
    await rename(partial, image);
  } catch (cause) {
    await rm(partial, { force: true });
    throw cause;
  }
}

/** `directory` is there and empty. */
export async function mountDisk(image: string, directory: string): Promise<void> {
  // A device that is just being given up cannot be mounted.
  await waitUntilReleased(image);
  const options = 'loop,nosuid,nodev,noatime,discard';
  await runProgram('mount', ['-t', 'ext4', '-o', options, '--', image, directory]);
  removeLostAndFound(directory);
}

/** Idempotent. Resolves when everything is on the disk and the loop device of the image is free. */
export async function unmountDisk(image: string | null, directory: string): Promise<void> {
  while (readMountPoints().includes(directory)) {
    await runProgram('umount', ['--', directory]);
  }
  if (image !== null) await waitUntilReleased(image);
}

/**
 * Hands the files to another user, unless they are that user's. Links are not followed, and the
 * root directory comes last, so that a chown which was cut off is done again.
 */
export async function handOverDisk(directory: string, uid: number): Promise<void> {
  if (statSync(directory).uid === uid) return;
  await runProgram('chown', ['-R', '-h', '-P', '--', `${uid}:${uid}`, directory]);
}

async function runProgram(name: Program, words: readonly string[]): Promise<void> {
  const program = findProgram(name, systemSearchPath);
  if (program === null) {
    throw new SandgateError('capability_missing', `The host has no program ${name} for volumes.`);
  }
  try {
    const env = { PATH: systemSearchPath, LC_ALL: 'C' };
    await run(program, words, { timeout: programDeadlineMs, env });
  } catch (cause) {
    const shortage = explainShortage(cause);
    if (shortage instanceof SandgateError) throw shortage;
    throw new SandgateError('engine_failed', `The volume could not be used: ${name} failed.`, {
      detail: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
}

/**
 * Waits for the loop device of an image to be freed. The kernel does that after its last mount is gone
 * everywhere, also in the namespaces of sandboxes that have just ended. A mount namespace of somebody
 * else can keep a copy for long; `mount` then takes the same device again, and with it the same
 * file system.
 */
async function waitUntilReleased(image: string): Promise<void> {
  await pollUntil(() => !hasLoopDevice(image), releaseDeadlineMs);
}

function hasLoopDevice(image: string): boolean {
  return loopDevices().some((name) => {
    try {
      return readFileSync(`/sys/block/${name}/loop/backing_file`, 'utf8').trim() === image;
    } catch {
      // It has no file at the moment.
      return false;
    }
  });
}

function loopDevices(): string[] {
  try {
    return readdirSync('/sys/block').filter((name) => name.startsWith('loop'));
  } catch {
    return [];
  }
}

/** mkfs makes it for root alone; a check of the file system would make it again when it needs it. */
function removeLostAndFound(directory: string): void {
  const path = join(directory, 'lost+found');
  try {
    if (lstatSync(path).uid === 0) rmdirSync(path);
  } catch {
    // It is gone, or holds what a check has found.
  }
}
