import { closeSync, openSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * Opens the network namespace of a sandbox by its launcher's process id. The descriptor stands for
 * the namespace whatever becomes of the process, so nobody enters that of another who got its id.
 * Throws when the sandbox is gone. The caller closes it.
 */
export function openNetworkNamespace(launcherPid: number): number {
  const own = readlinkSync('/proc/self/ns/net');
  // util-linux's launcher makes the namespaces itself, bubblewrap's a child of it.
  for (const pid of [launcherPid, ...childrenOf(launcherPid)]) {
    const path = `/proc/${pid}/ns/net`;
    const fd = openSync(path, 'r');
    const inside = readlinkSync(`/proc/self/fd/${fd}`) !== own;
    if (inside && (pid === launcherPid || childrenOf(launcherPid).includes(pid))) return fd;
    closeSync(fd);
  }
  throw new Error('the launcher has no network namespace of its own');
}

/** proc(5), /proc/pid/task/tid/children. */
function childrenOf(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? [] : children.split(' ').map(Number);
}
