import { rm } from 'node:fs/promises';
import { SandgateError } from '@sandgate/core';
import { findRunningServer } from './find-running-server.ts';
import { lockHome } from './home-lock.ts';
import { identifyProcess } from './process-identity.ts';
import { pidFilePath, type ServerRecord } from './server-record.ts';
import { replaceFile } from './write-file-atomically.ts';

/** This process's hold on a home. */
export interface ServerClaim {
  /** What was published last. */
  record(): ServerRecord;
  /** Says where the server listens. */
  publishAddress(address: string): Promise<void>;
  /** Removes the file and gives up the home. */
  release(): Promise<void>;
}

export type ClaimOutcome =
  | { readonly kind: 'claimed'; readonly claim: ServerClaim }
  /** The record is null while the other server is just starting. */
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

  let record: ServerRecord = { ...identity, ...server, address: null };
  const publish = async (address: string | null): Promise<void> => {
    record = { ...record, address };
    await replaceFile(pidFilePath(home), `${JSON.stringify(record)}\n`);
  };
  try {
    await publish(null);
  } catch (error) {
    lock.release();
    throw error;
  }
  return {
    kind: 'claimed',
    claim: {
      record: () => record,
      publishAddress: publish,
      release: async () => {
        await rm(pidFilePath(home), { force: true });
        lock.release();
      },
    },
  };
}
