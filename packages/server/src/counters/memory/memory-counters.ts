import {
  AcceptedRing,
  type ChargedRing,
  type Counters,
  type LimitAccount,
  lookIntoRings,
  takeFromRings,
  type UsageStore,
} from '@sandgate/core';

/** Keys whose rings are held at once. One that is dropped is read again from the usage rows. */
const mostRings = 100_000;

/** A ring, and what it was filled for: since when, for how wide a window and how large a limit. */
interface Held {
  readonly ring: AcceptedRing;
  readonly sinceMs: number;
  readonly widestMs: number;
  readonly largest: number;
}

/**
 * The counters of a server that is one node: rings in memory, filled from the usage rows when a key
 * is first used. What is committed there is what a crash leaves.
 */
export function createMemoryCounters(store: Pick<UsageStore, 'acceptedTimes'>): Counters {
  // A Map remembers the order of insertion; a ring goes to the end when it is filled.
  const rings = new Map<number, Held>();
  const loading = new Map<number, Promise<Held>>();

  const load = async (
    { keyNumber, windows }: LimitAccount,
    known: Held | undefined,
    nowMs: number,
  ): Promise<Held> => {
    const widestMs = Math.max(known?.widestMs ?? 0, ...windows.map(({ widthMs }) => widthMs));
    const largest = Math.max(known?.largest ?? 0, ...windows.map(({ limit }) => limit));
    const sinceMs = nowMs - widestMs;
    const stored = await store.acceptedTimes(keyNumber, sinceMs, largest);
    const ring = new AcceptedRing(widestMs);
    // Calls that are charged and not stored yet are known only here.
    for (const time of mergeTimes(stored, known?.ring.times() ?? [])) ring.push(time);
    return { ring, sinceMs, widestMs, largest };
  };

  const hold = (keyNumber: number, held: Held): void => {
    rings.delete(keyNumber);
    rings.set(keyNumber, held);
    if (rings.size <= mostRings) return;
    for (const oldest of rings.keys()) {
      rings.delete(oldest);
      break;
    }
  };

  /** One load for all that ask at once: two rings of one key would each let calls through. */
  const loadOnce = async (account: LimitAccount, nowMs: number): Promise<void> => {
    const { keyNumber } = account;
    const underWay = loading.get(keyNumber) ?? load(account, rings.get(keyNumber), nowMs);
    loading.set(keyNumber, underWay);
    try {
      const held = await underWay;
      if (loading.get(keyNumber) === underWay) hold(keyNumber, held);
    } finally {
      if (loading.get(keyNumber) === underWay) loading.delete(keyNumber);
    }
  };

  /**
   * Null when it has to be filled first: it is not held, its windows were made wider or larger since,
   * or the clock was set back to before what it was filled with.
   */
  const heldFor = ({ keyNumber, windows }: LimitAccount, nowMs: number): ChargedRing | null => {
    const held = rings.get(keyNumber);
    // One that is being filled anew would miss what is charged to the old one.
    if (held === undefined || loading.has(keyNumber)) return null;
    for (const { widthMs, limit } of windows) {
      const reaches = widthMs <= held.widestMs && nowMs - widthMs >= held.sinceMs;
      if (!reaches || limit > held.largest) return null;
    }
    return { ring: held.ring, windows };
  };

  /** All of them, or null when one has to be filled first. */
  const allHeld = (
    accounts: readonly LimitAccount[],
    nowMs: number,
  ): readonly ChargedRing[] | null => {
    const charged: ChargedRing[] = [];
    for (const account of accounts) {
      const ring = heldFor(account, nowMs);
      if (ring === null) return null;
      charged.push(ring);
    }
    return charged;
  };

  const fill = async (accounts: readonly LimitAccount[], nowMs: number): Promise<void> => {
    for (const account of accounts) {
      if (heldFor(account, nowMs) === null) await loadOnce(account, nowMs);
    }
  };

  const takeHeld = (charged: readonly ChargedRing[], nowMs: number) => ({
    decision: takeFromRings(charged, nowMs),
    states: lookIntoRings(charged, nowMs),
  });

  const takeWhenFilled = async (accounts: readonly LimitAccount[], nowMs: number) => {
    for (;;) {
      await fill(accounts, nowMs);
      // Nothing may come between this and the charge: all are charged, or none.
      const charged = allHeld(accounts, nowMs);
      if (charged !== null) return takeHeld(charged, nowMs);
    }
  };

  return {
    take(accounts, nowMs) {
      const charged = allHeld(accounts, nowMs);
      return charged === null ? takeWhenFilled(accounts, nowMs) : takeHeld(charged, nowMs);
    },
    async look(accounts, nowMs) {
      for (;;) {
        const looked = allHeld(accounts, nowMs);
        if (looked !== null) return lookIntoRings(looked, nowMs);
        await fill(accounts, nowMs);
      }
    },
    forget(keyNumbers) {
      for (const keyNumber of keyNumbers) {
        rings.delete(keyNumber);
        loading.delete(keyNumber);
      }
    },
  };
}

/** Two ordered lists that may both tell of the same calls, as one: of a time that both have, no more than either. */
function mergeTimes(one: readonly number[], other: readonly number[]): readonly number[] {
  if (other.length === 0) return one;
  const merged: number[] = [];
  let [left, right] = [0, 0];
  while (left < one.length || right < other.length) {
    const [first = Number.POSITIVE_INFINITY, second = Number.POSITIVE_INFINITY] = [
      one[left],
      other[right],
    ];
    merged.push(Math.min(first, second));
    if (first <= second) left += 1;
    if (second <= first) right += 1;
  }
  return merged;
}
