import type { Timers } from '../port/timers.ts';
import type { EventStream } from './event-stream.ts';
import type { SandboxEvent } from './sandbox-event.ts';

/**
 * Looks at something, and again whenever an event says that it may have changed, until it is as it
 * should be or the time is over. Resolves with what was seen last.
 */
export async function waitForEvent<Seen>(
  { events, timers }: { readonly events: EventStream; readonly timers: Timers },
  wait: {
    readonly look: () => Promise<Seen>;
    readonly isDone: (seen: Seen) => boolean;
    readonly concerns: (event: SandboxEvent) => boolean;
    readonly timeoutMs: number;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Seen> {
  let isOver = wait.signal?.aborted === true;
  let happened = false;
  let wake: () => void = () => undefined;
  // Before the first look, so that nothing is missed between the two.
  const stopListening = events.listen((event) => {
    if (!wait.concerns(event)) return;
    happened = true;
    wake();
  });
  const giveUp = () => {
    isOver = true;
    wake();
  };
  const cancel = timers.after(wait.timeoutMs, giveUp);
  wait.signal?.addEventListener('abort', giveUp);
  try {
    for (;;) {
      happened = false;
      const seen = await wait.look();
      if (wait.isDone(seen) || isOver) return seen;
      if (happened) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (isOver || happened) resolve();
      });
    }
  } finally {
    stopListening();
    cancel();
    wait.signal?.removeEventListener('abort', giveUp);
  }
}
