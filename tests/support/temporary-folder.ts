import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { removeRuntimeDirectories } from './machine-residue.ts';

const folders: string[] = [];

// Registered when the file is read: a test that makes a folder is too late for hooks. It runs last of all.
afterAll(() => {
  for (const folder of folders.splice(0)) {
    const homes = [folder, ...directoriesIn(folder)];
    for (const home of homes) removeRuntimeDirectories(home);
    rmSync(folder, { recursive: true, force: true });
  }
});

/** A folder for the tests of one file, removed when they are over. Short, as sockets lie in it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sg-'));
  folders.push(folder);
  return folder;
}

const directoriesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name));
