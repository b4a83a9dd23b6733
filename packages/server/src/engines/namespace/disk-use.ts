import { closeSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import type { ExecOutcome, ExecRequest } from '@sandgate/core';
import { openInside } from './open-inside.ts';

/**
 * Bytes in the root file system of a sandbox. Read from outside: many sandboxes that wait are asked every
 * few seconds, and a program in each of them would take more of the CPU than everything else about
 * them. `exec` asks inside where /proc shows nothing, and tells when the sandbox has ended.
 */
export async function readDiskBytes(
  launcherPid: number | undefined,
  exec: (request: ExecRequest) => Promise<ExecOutcome>,
): Promise<number> {
  return (await lookFromOutside(launcherPid)) ?? (await askInside(exec));
}

async function lookFromOutside(launcherPid: number | undefined): Promise<number | null> {
  if (launcherPid === undefined) return null;
  let fd: number;
  try {
    fd = openInside(launcherPid, 'mnt', 'root');
  } catch {
    return null;
  }
  try {
    const { bsize, blocks, bfree } = await statfs(`/proc/self/fd/${fd}`);
    return (blocks - bfree) * bsize;
  } finally {
    closeSync(fd);
  }
}

async function askInside(exec: (request: ExecRequest) => Promise<ExecOutcome>): Promise<number> {
  let text = '';
  await exec({
    argv: ['/bin/df', '-kP', '/'],
    cwd: '/',
    timeoutMs: 5_000,
    onOutput: (chunk) => {
      if (chunk.stream === 'stdout') text = (text + chunk.data.toString('latin1')).slice(0, 4_096);
    },
  });
  const kib = /^\S+\s+\d+\s+(\d{1,12})\s/m.exec(text.split('\n')[1] ?? '')?.[1];
  return Number(kib ?? 0) * 1024;
}
