import type { syscallNumbersArm64 } from './syscall-numbers-arm64.ts';
import type { syscallNumbersX64 } from './syscall-numbers-x64.ts';

/** A system call that at least one supported architecture has. */
export type SyscallName = keyof typeof syscallNumbersX64 | keyof typeof syscallNumbersArm64;
