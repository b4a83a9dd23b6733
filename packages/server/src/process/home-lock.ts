import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { hasCode } from './write-file-atomically.ts';

export interface HomeLock {
  release(): void;
}

/** An advisory file of mode 0600. An existing one is not opened: see `lockHome`. */
function createLockFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
}

const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && error.errcode === 5; // SQLITE_BUSY

/**
 * The right to be the one server of a home, or null when another process has it. The kernel takes
 * it back when the process ends, however it ends, and it holds between containers too, where
 * process ids say nothing.
 *
 * Node has no file locks of its own, so that this is SQLite's lock on an empty database. It is a
 * POSIX lock, which a process loses when it closes any descriptor of the file: nothing else may
 * open it.
 */
export function lockHome(home: string): HomeLock | null {
  const path = join(home, 'server.lock');
  createLockFile(path);
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (isBusy(error)) return null;
    throw error;
  }
  return { release: () => database.close() };
}
