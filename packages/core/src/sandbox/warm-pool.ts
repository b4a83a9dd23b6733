import type { EngineSandbox } from '../port/engine.ts';
import { newResourceId } from '../port/resource-id.ts';
import { buildDefinition } from './build-definition.ts';
import type { ComposedSandbox } from './compose-sandbox.ts';
import type { LaunchQueue } from './launch-queue.ts';
import { sameDefinition } from './same-definition.ts';
import type { SandboxAdmission } from './sandbox-admission.ts';
import type { SandboxDefinition } from './sandbox-definition.ts';
import type { SandboxParts } from './sandbox-parts.ts';
import { observerOf, type WarmSandbox } from './start-sandbox.ts';
import type { Template } from './template.ts';
import type { TemplateCatalogue } from './template-catalogue.ts';

interface PoolParts extends SandboxParts {
  readonly admission: SandboxAdmission;
  readonly launches: LaunchQueue;
}

interface Shelf {
  readonly template: Template;
  /** What a sandbox of the template is when nothing else is asked for. */
  readonly definition: SandboxDefinition;
  readonly wanted: number;
  readonly ready: WarmSandbox[];
  starting: number;
}

const retryAfterMs = 5_000;
/** Launches of the pool take turns with those of the workspaces, as one of them. */
const poolTurn = 'pool';
/** Host name of a sandbox that nobody has named yet. */
const hostname = 'sandbox';

/**
 * Sandboxes that are started before anybody asks: with what a template has by default, its kernel
 * running, and nothing of anybody in them. One that is taken is replaced.
 */
export class WarmPool {
  readonly #parts: PoolParts;
  readonly #shelves: Shelf[] = [];
  readonly #shelfOf = new WeakMap<WarmSandbox, Shelf>();
  #cancel: (() => void) | null = null;
  #closed = false;

  constructor(parts: PoolParts) {
    this.#parts = parts;
  }

  /** A template of the pool that is not there is told of, and left out. */
  start(catalogue: TemplateCatalogue): void {
    const { policy, onBackgroundError } = this.#parts;
    for (const [name, wanted] of Object.entries(policy.pool)) {
      try {
        const template = catalogue.find(name);
        const definition = buildDefinition({ image: template.image }, null, policy);
        this.#shelves.push({ template, definition, wanted, ready: [], starting: 0 });
      } catch (error) {
        onBackgroundError(error, { id: '', workspaceId: '' });
      }
    }
    this.#fill();
  }

  /** One that is as the request wants it. It is the caller's until `replace` or `giveBack`. */
  take(composed: ComposedSandbox): WarmSandbox | null {
    const plain = composed.volumes.length === 0 && composed.fromSnapshot === null;
    if (!plain || !this.#hasPoolEgress(composed)) return null;
    // Its main command is run when it is taken, and what it depends on is not its own affair.
    const wanted = { ...composed.definition, exec: null, dependsOn: [] };
    const shelf = this.#shelves.find(
      ({ ready, definition }) => ready.length > 0 && sameDefinition(definition, wanted),
    );
    return shelf?.ready.shift() ?? null;
  }

  /** One that was taken belongs to somebody now, and another takes its place. */
  replace(): void {
    this.#fill();
  }

  /** One that was taken, to which nothing was done. What it takes of the host is not counted any more. */
  giveBack(warm: WarmSandbox): void {
    const shelf = this.#shelfOf.get(warm);
    const counted =
      !this.#closed &&
      shelf !== undefined &&
      this.#parts.admission.reserveOnHost({ id: warm.id, resources: shelf.definition.resources });
    if (!counted) {
      void this.#stop(warm);
      this.#fillLater();
      return;
    }
    shelf.ready.unshift(warm);
    // It may have ended meanwhile.
    void warm.live.exited.then(() => this.#lose(shelf, warm));
  }

  /** Ends the oldest one, for those that somebody wants. False when there is none. */
  evict(): boolean {
    const warm = this.#shelves.find(({ ready }) => ready.length > 0)?.ready.shift();
    if (warm === undefined) return false;
    this.discard(warm);
    // Not at once, or it would take the room that was made.
    this.#fillLater();
    return true;
  }

  /** Ends one that is nobody's. */
  discard(warm: WarmSandbox): void {
    this.#parts.admission.rest(warm.id);
    void this.#stop(warm);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    const all = this.#shelves.flatMap(({ ready }) => ready.splice(0));
    await Promise.all(all.map((warm) => this.#stop(warm)));
  }

  /** Never rejects. */
  async #stop({ id, live }: WarmSandbox): Promise<void> {
    try {
      await live.stop({ keepLayer: false });
    } catch (error) {
      this.#parts.onBackgroundError(error, { id, workspaceId: '' });
    }
  }

  #hasPoolEgress({ egress }: ComposedSandbox): boolean {
    return JSON.stringify(egress) === JSON.stringify(this.#parts.policy.egress);
  }

  #fill(): void {
    if (this.#closed) return;
    for (const shelf of this.#shelves) {
      const missing = shelf.wanted - shelf.ready.length - shelf.starting;
      for (let count = 0; count < missing; count += 1) void this.#add(shelf);
    }
  }

  #fillLater(): void {
    if (this.#closed) return;
    this.#cancel ??= this.#parts.timers.after(retryAfterMs, () => {
      this.#cancel = null;
      this.#fill();
    });
  }

  /** Never rejects: what fails is tried again later. */
  async #add(shelf: Shelf): Promise<void> {
    const { admission, clock, randomness } = this.#parts;
    const id = newResourceId(clock, randomness);
    const { resources } = shelf.definition;
    if (!admission.reserveOnHost({ id, resources })) {
      this.#fillLater();
      return;
    }
    shelf.starting += 1;
    try {
      const live = await this.#parts.launches.run(poolTurn, () => this.#launch(id, shelf));
      shelf.starting -= 1;
      const warm = { id, live };
      if (this.#closed) {
        this.discard(warm);
        return;
      }
      this.#shelfOf.set(warm, shelf);
      shelf.ready.push(warm);
      void live.exited.then(() => this.#lose(shelf, warm));
    } catch (error) {
      shelf.starting -= 1;
      admission.rest(id);
      this.#parts.onBackgroundError(error, { id, workspaceId: '' });
      this.#fillLater();
    }
  }

  async #launch(id: string, { template, definition }: Shelf): Promise<EngineSandbox> {
    const { engine, policy } = this.#parts;
    const { image, resources, environment, workdir, mounts, scripts } = definition;
    const live = await engine.start(
      {
        ...{ id, hostname, image, resources, environment, workdir, mounts, scripts },
        ...(policy.egress.mode === 'deny_all' ? {} : { egress: policy.egress }),
      },
      observerOf(this.#parts, id),
    );
    const [language] = template.languages;
    if (language === undefined) return live;
    try {
      await live.kernel(language).run({ code: '', onOutput: () => undefined });
    } catch (error) {
      await this.#stop({ id, live });
      throw error;
    }
    return live;
  }

  /** One that ended by itself before anybody took it. */
  #lose(shelf: Shelf, warm: WarmSandbox): void {
    const index = shelf.ready.indexOf(warm);
    if (index < 0) return;
    shelf.ready.splice(index, 1);
    this.#parts.admission.rest(warm.id);
    this.#fillLater();
  }
}
