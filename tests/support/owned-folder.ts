import { chownSync } from 'node:fs';
import { temporaryFolder } from './temporary-folder.ts';

/** A temporary folder for a server that may run as another user. */
export function ownedFolder(user: { readonly uid: number; readonly gid: number } | null): string {
  const folder = temporaryFolder();
  if (user !== null) chownSync(folder, user.uid, user.gid);
  return folder;
}
