import { SandgateError } from '@sandgate/core';
import type { ResourceGroup } from '../limits/resource-limiter.ts';
import type { ProcessHold } from './process-hold.ts';
import { findAgent, isStopped, type Member, readMembers, signalMember } from './sandbox-members.ts';

/** Holds a sandbox by its cgroup, which nothing inside can notice or undo. */
export class FreezerHold implements ProcessHold {
  readonly #group: ResourceGroup;
  readonly #launcherPid: number;
  /** Stopped by the sandbox's own programs before; a freezer hides that. */
  #stoppedBefore: ReadonlySet<number> = new Set();

  constructor(group: ResourceGroup, launcherPid: number) {
    this.#group = group;
    this.#launcherPid = launcherPid;
  }

  async hold(): Promise<void> {
    const stopped = readMembers(this.#group.processes()).filter(isStopped);
    this.#stoppedBefore = new Set(stopped.map(({ pid }) => pid));
    await this.#group.freeze();
  }

  letGo(): Promise<void> {
    return this.#group.thaw();
  }

  /** A frozen process that has a SIGSTOP waiting stops when it is thawed, before it runs again. */
  async withAgent<T>(work: () => Promise<T>): Promise<T> {
    const members = readMembers(this.#group.processes());
    const agent = findAgent(this.#launcherPid, members);
    if (agent === undefined) throw new SandgateError('sandbox_ended', 'The sandbox has ended.');
    const running = new Set([this.#launcherPid, agent.pid, agent.parent]);
    const stopped = members.filter(({ pid }) => !running.has(pid) && !this.#stoppedBefore.has(pid));
    signalAll(stopped, 'SIGSTOP');
    try {
      await this.#group.thaw();
      return await work();
    } finally {
      // A sandbox that has ended meanwhile has no group any more, as the end of `work` tells.
      await this.#group.freeze().catch(() => {});
      signalAll(stopped, 'SIGCONT');
    }
  }
}

function signalAll(members: readonly Member[], signal: 'SIGSTOP' | 'SIGCONT'): void {
  for (const member of members) signalMember(member, signal);
}
