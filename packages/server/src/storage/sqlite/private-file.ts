import { chmodSync, closeSync, existsSync, fchmodSync, openSync } from 'node:fs';

const ownerOnly = 0o600;

/**
 * Makes a database file, and the files that SQLite keeps beside it, readable by their owner alone,
 * whatever the umask. SQLite gives `-wal` and `-shm` the mode of the database file.
 *
 * A file that exists is changed by its path and not opened: POSIX drops all locks that a process
 * holds on a file when the process closes any descriptor of it, those of SQLite included
 * (https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_).
 */
export function makePrivateFile(file: string): void {
  try {
    const descriptor = openSync(file, 'wx', ownerOnly);
    fchmodSync(descriptor, ownerOnly);
    closeSync(descriptor);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    chmodSync(file, ownerOnly);
  }
  for (const beside of [`${file}-wal`, `${file}-shm`]) {
    if (existsSync(beside)) chmodSync(beside, ownerOnly);
  }
}
