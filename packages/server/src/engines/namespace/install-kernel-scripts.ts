import { chmodSync, copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { kernelGuestFile } from '../kernel/kernel-command.ts';

/** Copies the kernels' guest scripts to where every sandbox's user can read them. */
export function installKernelScripts(directory: string): void {
  for (const name of Object.values(kernelGuestFile)) {
    const source = fileURLToPath(new URL(`../../../guest/${name}`, import.meta.url));
    if (!existsSync(source)) continue;
    const copy = join(directory, name);
    copyFileSync(source, copy);
    chmodSync(copy, 0o644);
  }
}
