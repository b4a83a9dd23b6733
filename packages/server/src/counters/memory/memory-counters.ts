import { AcceptedRing, type Counters, type LimitWindow, type UsageStore } from '@sandgate/core';

/** Keys whose rings are held at once. One that is dropped is read again from the usage rows. */
const mostRings = 100_000;

/**
 * The counters of a server that is one node: rings in memory, filled from the usage rows when a key
 * is first used. What is committed there is what a crash leaves.
 */
export function createMemoryCounters(store: Pick<UsageStore, 'acceptedTimes'>): Counters {
  // A Map remembers the order of insertion; a ring goes to the end when it is used.
  const rings = new Map<number, AcceptedRing>();
  const loading = new Map<number, Promise<AcceptedRing>>();

  const load = async (
    keyNumber: number,
    windows: readonly LimitWindow[],
    nowMs: number,
  ): Promise<AcceptedRing> => {
    const widestMs = Math.max(...windows.map(({ widthMs }) => widthMs));
    const most = Math.max(...windows.map(({ limit }) => limit));
    const ring = new AcceptedRing();
    for (const time of await store.acceptedTimes(keyNumber, nowMs - widestMs, most)) {
      ring.restore(time, windows);
    }
    return ring;
  };

  const hold = (keyNumber: number, ring: AcceptedRing): void => {
    rings.delete(keyNumber);
    rings.set(keyNumber, ring);
    if (rings.size <= mostRings) return;
    for (const oldest of rings.keys()) {
      rings.delete(oldest);
      break;
    }
  };

  /** One load for all that ask at once: two rings of one key would each let calls through. */
  const ringOf = async (
    keyNumber: number,
    windows: readonly LimitWindow[],
    nowMs: number,
  ): Promise<AcceptedRing> => {
    const held = rings.get(keyNumber);
    if (held !== undefined) return held;
    const underWay = loading.get(keyNumber) ?? load(keyNumber, windows, nowMs);
    loading.set(keyNumber, underWay);
    try {
      const ring = await underWay;
      if (loading.get(keyNumber) === underWay) hold(keyNumber, ring);
      return rings.get(keyNumber) ?? ring;
    } finally {
      if (loading.get(keyNumber) === underWay) loading.delete(keyNumber);
    }
  };

  return {
    async take(keyNumber, windows, nowMs) {
      const ring = rings.get(keyNumber) ?? (await ringOf(keyNumber, windows, nowMs));
      const decision = ring.take(windows, nowMs);
      return { ...decision, states: ring.look(windows, nowMs), chargedAtMs: ring.newestMs };
    },
    async look(keyNumber, windows, nowMs) {
      const ring = rings.get(keyNumber) ?? (await ringOf(keyNumber, windows, nowMs));
      return ring.look(windows, nowMs);
    },
    forget(keyNumber) {
      rings.delete(keyNumber);
      loading.delete(keyNumber);
    },
  };
}
