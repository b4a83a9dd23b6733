import { closeSync, openSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * Opens something that /proc shows of a process in a sandbox, by its launcher's process id: `file` of one
 * that has a namespace of this kind for itself. The descriptor stands for it whatever becomes of the
 * process, so nobody reaches what belongs to another who got its id. Throws when the sandbox is gone.
 * The caller closes it.
 */
export function openInside(launcherPid: number, namespace: 'net' | 'mnt', file: string): number {
  const own = readlinkSync(`/proc/self/ns/${namespace}`);
  // util-linux's launcher makes the namespaces itself, bubblewrap's a child of it.
  for (const pid of [launcherPid, ...childrenOf(launcherPid)]) {
    const fd = openSync(`/proc/${pid}/${file}`, 'r');
    let isInside = false;
    try {
      isInside =
        readlinkSync(`/proc/${pid}/ns/${namespace}`) !== own &&
        (pid === launcherPid || childrenOf(launcherPid).includes(pid));
      if (isInside) return fd;
    } finally {
      if (!isInside) closeSync(fd);
    }
  }
  throw new Error(`the launcher has no ${namespace} namespace of its own`);
}

/** proc(5), /proc/pid/task/tid/children. */
function childrenOf(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? [] : children.split(' ').map(Number);
}
