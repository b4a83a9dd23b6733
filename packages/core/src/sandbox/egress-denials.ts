import type { EgressDenial } from '../port/engine-egress.ts';
import type { EventStream } from './event-stream.ts';

/** The newest of each sandbox: a program that tries again and again fills no more than this. */
const keptDenials = 100;

/** What the egress policies of sandboxes refused since the server started, for their owners. */
export class EgressDenials {
  readonly #denials = new Map<string, EgressDenial[]>();

  constructor(events: EventStream) {
    events.listen((event) => {
      if (event.kind === 'egress.denied') {
        const { sandboxId, atMs, host, port, reason } = event;
        this.#keep({ sandboxId, atMs, host, port, reason });
      } else if (event.kind === 'sandbox.state' && event.state === 'destroyed') {
        this.#denials.delete(event.sandboxId);
      }
    });
  }

  /** Oldest first. */
  of(sandboxId: string): readonly EgressDenial[] {
    return [...(this.#denials.get(sandboxId) ?? [])];
  }

  #keep(denial: EgressDenial): void {
    const kept = this.#denials.get(denial.sandboxId) ?? [];
    this.#denials.set(denial.sandboxId, kept);
    kept.push(denial);
    if (kept.length > keptDenials) kept.shift();
  }
}
