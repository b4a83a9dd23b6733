import { kernelDisplayFiles, kernelGuestFile } from './kernel/kernel-command.ts';
import { pythonTerminalFile } from './terminal/terminal-program.ts';

/** Names of the files in `packages/server/guest` that every sandbox finds beside its kernels. */
export const guestScripts: readonly string[] = [
  ...Object.values(kernelGuestFile),
  ...kernelDisplayFiles,
  pythonTerminalFile,
];
