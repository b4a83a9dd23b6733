import { SandgateError } from '@sandgate/core';
import { pollUntil } from '../limits/cgroup-files.ts';
import type { ProcessHold } from './process-hold.ts';
import {
  findAgent,
  isHeld,
  isStopped,
  type Member,
  readDescendants,
  signalMember,
} from './sandbox-members.ts';

const holdTimeoutMs = 10_000;

/**
 * Holds a sandbox by SIGSTOP, where no cgroup can freeze it. With every process stopped, the agent
 * too, nobody is left inside who could send the SIGCONT that undoes it.
 */
export class SignalHold implements ProcessHold {
  readonly #launcherPid: number;
  /** What this has stopped, and not the sandbox's own programs. */
  readonly #held = new Map<number, Member>();

  constructor(launcherPid: number) {
    this.#launcherPid = launcherPid;
  }

  async hold(): Promise<void> {
    // A process can fork before its signal reaches it, so this goes on until nobody runs.
    const still = await pollUntil(() => {
      const moving = readDescendants(this.#launcherPid).filter((member) => this.#moves(member));
      for (const member of moving) {
        this.#held.set(member.pid, member);
        signalMember(member, 'SIGSTOP');
      }
      return moving.length === 0;
    }, holdTimeoutMs);
    if (still) return;
    await this.letGo();
    throw new SandgateError('engine_failed', 'The sandbox could not be paused.');
  }

  async letGo(): Promise<void> {
    for (const member of this.#held.values()) signalMember(member, 'SIGCONT');
    this.#held.clear();
  }

  async withAgent<T>(work: () => Promise<T>): Promise<T> {
    const agent = findAgent(this.#launcherPid, readDescendants(this.#launcherPid));
    if (agent === undefined) throw new SandgateError('sandbox_ended', 'The sandbox has ended.');
    this.#held.delete(agent.pid);
    signalMember(agent, 'SIGCONT');
    try {
      return await work();
    } finally {
      await this.hold();
    }
  }

  #moves(member: Member): boolean {
    const known = this.#held.get(member.pid)?.startTime === member.startTime;
    return known ? !isHeld(member) : !isStopped(member);
  }
}
