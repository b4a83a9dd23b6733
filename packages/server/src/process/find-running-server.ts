import { SandgateError } from '@sandgate/core';
import { controlClient } from './control-client.ts';
import { isStillRunning } from './process-identity.ts';
import { readServerRecord, type ServerRecord } from './server-record.ts';

/**
 * The server that runs on this home, or null. A recycled process id is not taken for it. Where its
 * file is lost or damaged, or names a process of another container, the server itself is asked.
 *
 * @throws SandgateError `internal` when a server is there, and does not answer
 */
export async function findRunningServer(home: string): Promise<ServerRecord | null> {
  const record = await readServerRecord(home);
  if (record !== null && (await isStillRunning(record))) return record;
  try {
    return await controlClient.record(home);
  } catch (error) {
    // No server has a socket at a path that is too long for one.
    if (error instanceof SandgateError && error.code === 'config_invalid') return null;
    throw error;
  }
}
