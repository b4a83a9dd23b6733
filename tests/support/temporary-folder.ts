import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** A folder for the tests of one file, removed when they are over. Short, as sockets lie in it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sg-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
