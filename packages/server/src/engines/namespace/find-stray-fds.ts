import { readdirSync, readFileSync } from 'node:fs';

/** O_CLOEXEC of include/uapi/asm-generic/fcntl.h, as `/proc/PID/fdinfo` shows it, in octal. */
const closeOnExec = 0o2000000;

/**
 * File descriptors that the server itself inherited and would hand on to every child. Node opens its
 * own with close-on-exec, so these came from whatever started the server.
 */
export function findStrayFds(): number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => fd > 2 && isInherited(fd));
}

function isInherited(fd: number): boolean {
  try {
    const flags = /^flags:\s+([0-7]+)$/m.exec(
      readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'),
    )?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) === 0;
  } catch {
    // The descriptor of the listing itself is closed again.
    return false;
  }
}
