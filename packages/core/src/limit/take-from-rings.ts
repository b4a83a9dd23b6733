import type { AcceptedRing } from './accepted-ring.ts';
import type { LimitDecision, LimitWindow } from './limit-window.ts';

/** A ring, and the windows that one more call in it has to fit into. */
export interface ChargedRing {
  readonly ring: AcceptedRing;
  readonly windows: readonly LimitWindow[];
}

/** Never before what was charged last: a clock that was set back stands still until then. */
export function ringTimeMs(charged: readonly ChargedRing[], clockMs: number): number {
  let nowMs = clockMs;
  for (const { ring } of charged) nowMs = Math.max(nowMs, ring.newestMs);
  return nowMs;
}

/** Checks every window of every ring, and charges all of the rings if none is full. */
export function takeFromRings(charged: readonly ChargedRing[], clockMs: number): LimitDecision {
  const nowMs = ringTimeMs(charged, clockMs);
  let longestMs = 0;
  let fullWindow: LimitWindow | null = null;
  for (const { ring, windows } of charged) {
    for (const window of windows) {
      const waitMs = ring.waitMs(window, nowMs);
      if (waitMs <= longestMs) continue;
      longestMs = waitMs;
      fullWindow = window;
    }
  }
  if (fullWindow !== null) {
    return { accepted: false, retryAfterMs: longestMs + (nowMs - clockMs), fullWindow };
  }
  for (const { ring } of charged) ring.push(nowMs);
  return { accepted: true, chargedAtMs: nowMs };
}
