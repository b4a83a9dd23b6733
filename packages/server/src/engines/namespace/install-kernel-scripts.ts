import { chmodSync, copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { guestScripts } from '../guest-scripts.ts';
import { compilePythonKernel } from '../kernel/compile-python-kernel.ts';
import { compiledPythonFiles } from '../kernel/kernel-command.ts';
import type { HostInterpreter } from './template/template.ts';

/** Copies the guest scripts of kernels and terminals to where every sandbox's user can read them. */
export function installKernelScripts(directory: string): void {
  for (const name of guestScripts) {
    const source = fileURLToPath(new URL(`../../../guest/${name}`, import.meta.url));
    if (!existsSync(source)) continue;
    const copy = join(directory, name);
    copyFileSync(source, copy);
    chmodSync(copy, 0o644);
  }
}

/**
 * Compiles the Python guest script for the interpreter of the sandboxes. False when it cannot be, and
 * each kernel compiles it for itself.
 */
export async function compileKernelScripts(
  directory: string,
  interpreters: readonly HostInterpreter[],
): Promise<boolean> {
  const python = interpreters.find(({ language }) => language === 'python');
  if (python === undefined) return false;
  try {
    await compilePythonKernel(python.executable, directory, directory);
    for (const { target } of compiledPythonFiles) chmodSync(join(directory, target), 0o644);
    return true;
  } catch {
    return false;
  }
}
