import type { WindowState } from './limit-window.ts';
import { type ChargedRing, ringTimeMs } from './take-from-rings.ts';

/**
 * How the windows stand, without a charge. Of windows that have the same name, the one with the
 * fewest calls left, since a call has to fit into all of them; of equal ones the one that gives way
 * last.
 */
export function lookIntoRings(
  charged: readonly ChargedRing[],
  clockMs: number,
): readonly WindowState[] {
  const nowMs = ringTimeMs(charged, clockMs);
  const [only] = charged;
  if (charged.length === 1 && only !== undefined) {
    return only.ring.look(only.windows, nowMs, clockMs);
  }
  return tightest(charged.flatMap(({ ring, windows }) => ring.look(windows, nowMs, clockMs)));
}

function tightest(states: readonly WindowState[]): readonly WindowState[] {
  const found = new Map<string, WindowState>();
  for (const state of states) {
    const known = found.get(state.name);
    const less = known === undefined ? -1 : state.remaining - known.remaining;
    const later = known !== undefined && state.resetAfterMs > known.resetAfterMs;
    if (less < 0 || (less === 0 && later)) found.set(state.name, state);
  }
  return [...found.values()];
}
