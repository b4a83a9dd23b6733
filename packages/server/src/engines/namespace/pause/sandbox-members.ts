import { readdirSync } from 'node:fs';
import { errorCodeOf } from '../limits/cgroup-files.ts';
import { readProcessStat } from '../process-stat.ts';

/** A process as /proc/pid/stat tells of it (proc(5)). */
export interface Member {
  readonly pid: number;
  readonly parent: number;
  /** Clock ticks since boot; tells a process from a later one with its number. */
  readonly startTime: number;
}

function readMember(pid: number): Member | null {
  const fields = readProcessStat(`/proc/${pid}/stat`);
  if (fields === null) return null;
  const [, parent] = fields;
  return { pid, parent: Number(parent), startTime: Number(fields[19]) };
}

export function readMembers(pids: readonly number[]): Member[] {
  return pids.flatMap((pid) => readMember(pid) ?? []);
}

/** Every process beneath a launcher. Orphans of a PID namespace stay beneath its first process. */
export function readDescendants(launcherPid: number): Member[] {
  const numbers = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const children = new Map<number, Member[]>();
  for (const member of readMembers(numbers.map(Number))) {
    const siblings = children.get(member.parent);
    if (siblings === undefined) children.set(member.parent, [member]);
    else siblings.push(member);
  }
  const found: Member[] = [];
  const pending = [launcherPid];
  for (let pid = pending.pop(); pid !== undefined; pid = pending.pop()) {
    for (const child of children.get(pid) ?? []) {
      found.push(child);
      pending.push(child.pid);
    }
  }
  return found;
}

/**
 * The agent, out of the processes of a sandbox: the launcher starts the first process of the PID
 * namespace, and that starts the agent before it can adopt any orphan.
 */
export function findAgent(launcherPid: number, members: readonly Member[]): Member | undefined {
  const first = members.find(({ parent }) => parent === launcherPid);
  return members
    .filter(({ parent }) => first !== undefined && parent === first.pid)
    .sort((a, b) => a.startTime - b.startTime || a.pid - b.pid)[0];
}

/** No thread of the process runs: it is stopped or has ended. */
export function isStopped(member: Member): boolean {
  return threadStates(member.pid).every((state) => 'TtZXx'.includes(state));
}

/**
 * As `isStopped`, for one that was sent a SIGSTOP: a thread that waits uninterruptibly, as in vfork
 * for a child that is stopped too, stops before it runs a line of its program again.
 */
export function isHeld(member: Member): boolean {
  return threadStates(member.pid).every((state) => 'TtZXxD'.includes(state));
}

/** Sends a signal, if the number still belongs to that process. */
export function signalMember(
  { pid, startTime }: Member,
  signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL',
): void {
  if (readMember(pid)?.startTime !== startTime) return;
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errorCodeOf(error) !== 'ESRCH') throw error;
  }
}

function threadStates(pid: number): string[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.flatMap((id) => readProcessStat(`/proc/${pid}/task/${id}/stat`)?.[0] ?? []);
  } catch {
    // It has ended.
    return [];
  }
}
