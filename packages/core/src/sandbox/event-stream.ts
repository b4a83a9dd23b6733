import type { Clock } from '../port/clock.ts';
import type { PastEvents, SandboxEvent, SandboxHappening } from './sandbox-event.ts';

/** Events that are kept for readers that come back, of one workspace and of all together. */
const keptEvents = 1_000;

/** The newest events of one kind of reader, with ids that grow. */
interface Ring {
  readonly events: SandboxEvent[];
  /** Id of the newest event that is not kept any more. */
  droppedId: number;
}

/**
 * What happens to sandboxes and what belongs to them. A reader holds its place by an id and takes what
 * follows, so that a slow one costs nothing: it misses what was dropped, and is told so.
 */
export class EventStream {
  readonly #clock: Clock;
  readonly #rings = new Map<string | null, Ring>();
  readonly #wakers = new Set<() => void>();
  readonly #listeners = new Set<(event: SandboxEvent) => void>();
  readonly #firstId: number;
  #lastId: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    // By the clock, so that ids go on growing after a restart.
    this.#firstId = clock.nowMs() * 1_000;
    this.#lastId = this.#firstId;
  }

  publish(workspaceId: string, happening: SandboxHappening): void {
    const atMs = this.#clock.nowMs();
    // A burst takes the ids that follow.
    this.#lastId = Math.max(this.#lastId + 1, atMs * 1_000);
    const event: SandboxEvent = { id: this.#lastId, atMs, workspaceId, ...happening };
    for (const owner of [workspaceId, null]) this.#keep(this.#ringOf(owner), event);
    for (const listener of this.#listeners) listener(event);
    for (const wake of this.#wakers) wake();
  }

  /** Tells of each event as it is published. @returns what ends it */
  listen(listener: (event: SandboxEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** As `Sandboxes.pastEvents` says. */
  past(workspaceId: string, afterId = 0): PastEvents {
    const ring = this.#ringOf(workspaceId);
    const kept = ring.events.filter(({ id }) => id > afterId);
    const isWhole = afterId === 0 || afterId >= ring.droppedId;
    const missed = isWhole ? [] : [this.#missed(workspaceId, ring.droppedId)];
    return { events: [...missed, ...kept], lastId: this.#lastId };
  }

  /** As `Sandboxes.events` says. It begins where the stream is when this is called. */
  subscribe(
    workspaceId: string | null,
    { afterId, signal }: { readonly afterId?: number; readonly signal: AbortSignal },
  ): AsyncIterable<SandboxEvent> {
    return this.#read(workspaceId, afterId ?? this.#lastId, signal);
  }

  async *#read(
    workspaceId: string | null,
    afterId: number,
    signal: AbortSignal,
  ): AsyncGenerator<SandboxEvent> {
    const ring = this.#ringOf(workspaceId);
    let lastId = afterId;
    let wake: () => void = () => undefined;
    const waker = () => wake();
    this.#wakers.add(waker);
    signal.addEventListener('abort', waker);
    try {
      while (!signal.aborted) {
        if (lastId < ring.droppedId) {
          lastId = ring.droppedId;
          yield this.#missed(workspaceId ?? '', lastId);
          continue;
        }
        const next = ring.events.find(({ id }) => id > lastId);
        if (next !== undefined) {
          lastId = next.id;
          yield next;
          continue;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      this.#wakers.delete(waker);
      signal.removeEventListener('abort', waker);
    }
  }

  #missed(workspaceId: string, id: number): SandboxEvent {
    return { id, atMs: this.#clock.nowMs(), workspaceId, kind: 'events.missed' };
  }

  #ringOf(owner: string | null): Ring {
    const known = this.#rings.get(owner);
    if (known !== undefined) return known;
    // Those of an earlier server are not kept.
    const ring: Ring = { events: [], droppedId: this.#firstId };
    this.#rings.set(owner, ring);
    return ring;
  }

  #keep(ring: Ring, event: SandboxEvent): void {
    ring.events.push(event);
    if (ring.events.length <= keptEvents) return;
    ring.droppedId = ring.events.shift()?.id ?? ring.droppedId;
  }
}
