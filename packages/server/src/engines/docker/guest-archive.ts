import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { EngineSandboxSpec } from '@sandgate/core';
import { pack } from 'tar-stream';
import { guestScripts } from '../guest-scripts.ts';
import { sandboxUser } from './container-request.ts';

/**
 * What is put into a container before it starts, as a tar archive for its root: the kernels' scripts,
 * the sandbox's own scripts, and the directories in which its user works.
 */
export async function guestArchive(
  spec: Pick<EngineSandboxSpec, 'scripts' | 'workdir'>,
  guestDirectory: string,
): Promise<Buffer> {
  const archive = pack();
  const directory = (name: string, owner = 0): void => {
    archive.entry({ name: `${name}/`, type: 'directory', mode: 0o755, uid: owner, gid: owner });
  };
  for (const name of ['.sandbox', '.sandbox/kernel', '.sandbox/scripts']) directory(name);
  for (const path of parents(spec.workdir)) directory(path, sandboxUser);
  for (const path of parents('/home/sandbox').slice(1)) directory(path, sandboxUser);
  for (const name of guestScripts) {
    const text = await readFile(join(guestDirectory, name));
    archive.entry({ name: `.sandbox/kernel/${name}`, mode: 0o644 }, text);
  }
  for (const [name, text] of Object.entries(spec.scripts)) {
    archive.entry({ name: `.sandbox/scripts/${name}`, mode: 0o755 }, text);
  }
  archive.finalize();
  return await buffer(archive);
}

/** A path and those above it, outermost first, without leading slashes. */
function parents(path: string): readonly string[] {
  const words = path.split('/').filter((word) => word !== '');
  return words.map((_, index) => words.slice(0, index + 1).join('/'));
}
