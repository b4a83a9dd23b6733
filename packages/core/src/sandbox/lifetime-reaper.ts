import { Deadlines } from './deadlines.ts';
import type { Sandbox } from './sandbox.ts';
import type { DestroyReason } from './sandbox-lifetime.ts';
import type { SandboxParts } from './sandbox-parts.ts';
import type { SandboxEnds } from './stop-sandbox.ts';

/** What ends a sandbox by itself, and when. */
export interface LifetimeEnd {
  readonly atMs: number;
  readonly reason: DestroyReason;
}

/** The first end that a sandbox comes to when nothing more is asked of it. Null: none. */
export function lifetimeEnd(sandbox: Sandbox): LifetimeEnd | null {
  if (sandbox.state === 'destroyed') return null;
  const { lifetime, pausedAtMs } = sandbox;
  const { expiresAtMs, maxLifetimeMs, idleTimeoutMs, pausedTimeoutMs } = lifetime;
  const after = (fromMs: number, spanMs: number | null, reason: DestroyReason): LifetimeEnd[] =>
    spanMs === null ? [] : [{ atMs: fromMs + spanMs, reason }];
  const ends = [
    ...after(0, expiresAtMs, 'expired'),
    ...after(sandbox.createdAtMs, maxLifetimeMs, 'max_lifetime'),
    // One that is paused is asked for nothing, and has a bound of its own.
    ...(pausedAtMs === null
      ? after(sandbox.lastActivityAtMs, idleTimeoutMs, 'idle')
      : after(pausedAtMs, pausedTimeoutMs, 'paused_too_long')),
  ];
  return ends.reduce<LifetimeEnd | null>(
    (first, end) => (first === null || end.atMs < first.atMs ? end : first),
    null,
  );
}

const retryAfterMs = 1_000;

/** Destroys sandboxes when their time is over. */
export class LifetimeReaper {
  readonly #parts: Pick<SandboxParts, 'clock' | 'onBackgroundError'>;
  readonly #destroyIf: SandboxEnds['destroyIf'];
  readonly #deadlines: Deadlines;

  constructor(parts: SandboxParts, { destroyIf }: Pick<SandboxEnds, 'destroyIf'>) {
    this.#parts = parts;
    this.#destroyIf = destroyIf;
    this.#deadlines = new Deadlines(parts, (id) => void this.#look(id));
  }

  track(sandbox: Sandbox): void {
    this.#deadlines.set(sandbox.id, lifetimeEnd(sandbox)?.atMs ?? null);
  }

  close(): void {
    this.#deadlines.close();
  }

  /** Activity moves the end of an idle sandbox on without a word, so that it is looked at again. */
  async #look(id: string): Promise<void> {
    const { clock, onBackgroundError } = this.#parts;
    try {
      await this.#destroyIf(id, (sandbox) => {
        const end = lifetimeEnd(sandbox);
        if (end === null || end.atMs <= clock.nowMs()) return end?.reason ?? null;
        this.#deadlines.set(id, end.atMs);
        return null;
      });
    } catch (error) {
      onBackgroundError(error, { id, workspaceId: '' });
      this.#deadlines.set(id, clock.nowMs() + retryAfterMs);
    }
  }
}
