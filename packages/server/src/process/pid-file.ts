import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SandgateError } from '@sandgate/core';
import { z } from 'zod';
import { lockHome } from './home-lock.ts';
import { identifyProcess, isStillRunning } from './process-identity.ts';
import { replaceFile } from './write-file-atomically.ts';

const serverRecord = z.object({
  pid: z.int().positive(),
  startTicks: z.string(),
  bootId: z.string(),
  startedAtMs: z.int(),
  /** Base address, as in `http://127.0.0.1:5555`; null until the server listens. */
  address: z.string().nullable(),
  version: z.string(),
});

/** What a running server says of itself in `server.pid`. */
export type ServerRecord = Readonly<z.infer<typeof serverRecord>>;

const pidFilePath = (home: string): string => join(home, 'server.pid');

async function readRecord(home: string): Promise<ServerRecord | null> {
  try {
    return serverRecord.parse(JSON.parse(await readFile(pidFilePath(home), 'utf8')));
  } catch {
    // Absent, or garbage: either way it names no server.
    return null;
  }
}

/** The server that runs on this home, or null. A recycled process id is not taken for it. */
export async function findRunningServer(home: string): Promise<ServerRecord | null> {
  const record = await readRecord(home);
  return record !== null && (await isStillRunning(record)) ? record : null;
}

/** This process's hold on a home. */
export interface ServerClaim {
  /** Says where the server listens. */
  publishAddress(address: string): Promise<void>;
  /** Removes the file and gives up the home. */
  release(): Promise<void>;
}

export type ClaimOutcome =
  | { readonly kind: 'claimed'; readonly claim: ServerClaim }
  /** The record is null while the other server is just starting, or runs in another container. */
  | { readonly kind: 'taken'; readonly record: ServerRecord | null };

/**
 * Makes this process the server of a home, unless another one is. What a server that was killed
 * left behind is replaced.
 *
 * @throws SandgateError `config_invalid` without /proc
 */
export async function claimHome(
  home: string,
  server: { readonly version: string; readonly startedAtMs: number },
): Promise<ClaimOutcome> {
  const identity = await identifyProcess(process.pid);
  if (identity === null) {
    throw new SandgateError('config_invalid', '/proc is not mounted. Sandgate needs it: mount it.');
  }
  const lock = lockHome(home);
  if (lock === null) return { kind: 'taken', record: await findRunningServer(home) };

  const publish = (address: string | null) =>
    replaceFile(pidFilePath(home), `${JSON.stringify({ ...identity, ...server, address })}\n`);
  try {
    await publish(null);
  } catch (error) {
    lock.release();
    throw error;
  }
  return {
    kind: 'claimed',
    claim: {
      publishAddress: publish,
      release: async () => {
        await rm(pidFilePath(home), { force: true });
        lock.release();
      },
    },
  };
}
