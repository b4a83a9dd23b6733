import { setImmediate } from 'node:timers/promises';
import type { SandboxResources } from '@sandgate/core';
import {
  discardLaunch,
  type LaunchContext,
  type PreparedLaunch,
  prepareLaunch,
} from './launch-sandbox.ts';

const size = 4;
/** Made several at a time: for a while after each fork, a server pays for every page it writes to. */
const lowWater = 2;
/** A start is often followed by a first call, which this is not to delay: as long as Python takes to start. */
const refillDelayMs = 80;

/**
 * Launches in stock. Forking a large server, making control groups and joining them takes as long as
 * bubblewrap itself does, and is the same for all sandboxes with equal limits. So a moment after
 * a sandbox was started, it is done ahead for the next ones. What is in stock is no sandbox:
 * it has run nothing but the lines that join its groups.
 */
export class LaunchStock {
  readonly #context: LaunchContext;
  #ready: PreparedLaunch[] = [];
  #wanted: SandboxResources | null = null;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> = Promise.resolve();
  #made = 0;

  constructor(context: LaunchContext) {
    this.#context = context;
  }

  /** One with these limits, or null. It belongs to the caller. */
  take(resources: SandboxResources): PreparedLaunch | null {
    const usable = (launch: PreparedLaunch): boolean =>
      launch.process.running && equalResources(launch.resources, resources);
    const index = this.#ready.findIndex(usable);
    return index < 0 ? null : (this.#ready.splice(index, 1)[0] ?? null);
  }

  /** Calls for more with the limits of the latest start. */
  refillFor(resources: SandboxResources): void {
    this.#wanted = resources;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#working = this.#working.then(() => this.#refill());
    }, refillDelayMs).unref();
  }

  /** Gives up what is there. Until the next `refillFor`, no more is made. */
  async clear(): Promise<void> {
    this.#wanted = null;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#working;
    await Promise.all(this.#ready.splice(0).map(discardLaunch));
  }

  /** A failure shows at the next start, which makes its own. */
  async #refill(): Promise<void> {
    const wanted = this.#wanted;
    if (wanted === null) return;
    const fits = ({ process, resources }: PreparedLaunch): boolean =>
      process.running && equalResources(resources, wanted);
    const stale = this.#ready.filter((launch) => !fits(launch));
    this.#ready = this.#ready.filter(fits);
    await Promise.all(stale.map((launch) => discardLaunch(launch).catch(() => {})));
    if (this.#ready.length >= lowWater) return;
    while (this.#ready.length < size && this.#wanted === wanted) {
      this.#made += 1;
      try {
        this.#ready.push(await prepareLaunch(this.#context, `stock-${this.#made}`, wanted));
      } catch {
        return;
      }
      // Calls that came in the meantime go first.
      await setImmediate();
    }
  }
}

function equalResources(one: SandboxResources, other: SandboxResources): boolean {
  return (
    one.memoryMib === other.memoryMib &&
    one.cpus === other.cpus &&
    one.diskMib === other.diskMib &&
    one.maxProcesses === other.maxProcesses
  );
}
