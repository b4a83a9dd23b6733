import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** What a running server says of itself in `server.pid`, and over its control socket. */
export const serverRecord = z.object({
  pid: z.int().positive(),
  startTicks: z.string(),
  bootId: z.string(),
  startedAtMs: z.int(),
  /** Base address, as in `http://127.0.0.1:5555`; null until the server listens. */
  address: z.string().nullable(),
  version: z.string(),
});

export type ServerRecord = Readonly<z.infer<typeof serverRecord>>;

export const pidFilePath = (home: string): string => join(home, 'server.pid');

/** Null when the file is absent, or garbage: either way it names no server. */
export async function readServerRecord(home: string): Promise<ServerRecord | null> {
  try {
    return serverRecord.parse(JSON.parse(await readFile(pidFilePath(home), 'utf8')));
  } catch {
    return null;
  }
}
