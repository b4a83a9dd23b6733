import { SandgateError } from '@sandgate/core';

/** Primary result codes (https://www.sqlite.org/rescode.html) that mean the store cannot answer. */
const failures: Readonly<Record<number, string>> = {
  5: 'The database is locked by another process. Try again; if it stays so, see who has it open',
  6: 'The database is locked. Try again',
  7: 'The database has no memory left. Free some, and try again',
  8: 'The database may not be written to. Give the server write access to it and to its folder',
  10: 'The database cannot be read or written: the disk reports an error. Check the disk',
  11: 'The database is damaged. Stop the server, and restore a backup',
  13: 'The disk or its quota is full. Free some space, and try again',
  14: 'The database cannot be opened. Check that its folder exists and may be written to',
  15: 'The database is locked by another process. Try again',
  26: 'This file is not a database. Give the path of one, or of a file that is not there yet',
};

/** Extended codes of a constraint that a statement would have broken. */
export const constraint = { foreignKey: 787, primaryKey: 1555, unique: 2067 } as const;

/** The extended result code of an error of SQLite's, or null for any other. */
export function sqliteCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error)) return null;
  return typeof error.errcode === 'number' ? error.errcode : null;
}

/** Where `workspace_id` is all that a row refers to. */
export const workspaceNotFound = (cause: unknown): SandgateError =>
  new SandgateError('workspace_not_found', 'Workspace not found', { cause });

/** `error` as the storage port words it: `storage_unavailable` when the store cannot answer. */
export function toStorageFailure(error: unknown): unknown {
  const code = sqliteCode(error);
  if (code !== null) {
    const message = failures[code & 0xff];
    if (message === undefined) return error;
    const detail = `SQLite result code ${code}: ${error instanceof Error ? error.message : ''}`;
    return new SandgateError('storage_unavailable', message, { detail, cause: error });
  }
  // node:sqlite's own code for a database that was closed, and for its statements.
  if (error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_STATE') {
    return new SandgateError(
      'storage_unavailable',
      'The database is closed, because the server is stopping',
      { cause: error },
    );
  }
  return error;
}
