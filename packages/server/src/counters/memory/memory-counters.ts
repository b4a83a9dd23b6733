import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  AcceptedRing,
  type Charged,
  type ChargedRing,
  type Counters,
  type LimitAccount,
  lookIntoRings,
  takeFromRings,
  type UsageStore,
} from '@sandgate/core';

export interface MemoryCountersOptions {
  /** Keys whose rings are held at once. One that is dropped is read again from the usage rows. */
  readonly mostRings?: number;
}

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
export function createMemoryCounters(
  store: Pick<UsageStore, 'acceptedTimes'>,
  { mostRings = 100_000 }: MemoryCountersOptions = {},
): Counters {
  // A Map remembers the order of insertion; a ring goes to the end when it is filled.
  const rings = new Map<number, Held>();
  const loading = new Map<number, Promise<Held>>();
  const inFlight = createCallsInFlight();

  const load = async (
    { keyNumber, windows }: LimitAccount,
    known: Held | undefined,
    nowMs: number,
  ): Promise<Held> => {
    const widestMs = Math.max(known?.widestMs ?? 0, ...windows.map(({ widthMs }) => widthMs));
    const largest = Math.max(known?.largest ?? 0, ...windows.map(({ limit }) => limit));
    const sinceMs = nowMs - widestMs;
    // One that was committed in this very turn would be counted twice: it is settled when it is over.
    if (inFlight.timesOf(keyNumber).length > 0) await nextTurn();
    const reading = store.acceptedTimes(keyNumber, sinceMs, largest);
    const flying = [...inFlight.timesOf(keyNumber)];
    const times = [...(await reading), ...flying];
    if (flying.length > 0) times.sort((one, other) => one - other);
    const ring = new AcceptedRing(widestMs);
    for (const time of times) ring.push(time);
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

  const takeHeld = (
    accounts: readonly LimitAccount[],
    charged: readonly ChargedRing[],
    nowMs: number,
  ) => {
    const decision = takeFromRings(charged, nowMs);
    if (decision.accepted) {
      for (const { keyNumber } of accounts) inFlight.add(keyNumber, decision.chargedAtMs);
    }
    return { decision, states: lookIntoRings(charged, nowMs) };
  };

  const takeWhenFilled = async (accounts: readonly LimitAccount[], nowMs: number) => {
    for (;;) {
      await fill(accounts, nowMs);
      // Nothing may come between this and the charge: all are charged, or none.
      const charged = allHeld(accounts, nowMs);
      if (charged !== null) return takeHeld(accounts, charged, nowMs);
    }
  };

  return {
    take(accounts, nowMs) {
      const charged = allHeld(accounts, nowMs);
      return charged === null
        ? takeWhenFilled(accounts, nowMs)
        : takeHeld(accounts, charged, nowMs);
    },
    async look(accounts, nowMs) {
      for (;;) {
        const looked = allHeld(accounts, nowMs);
        if (looked !== null) return lookIntoRings(looked, nowMs);
        await fill(accounts, nowMs);
      }
    },
    settle(charged) {
      inFlight.remove(charged);
    },
    forget(charged) {
      inFlight.remove(charged);
      for (const keyNumber of charged.keyNumbers) {
        rings.delete(keyNumber);
        loading.delete(keyNumber);
      }
    },
  };
}

/** Accepted calls whose usage rows are not committed yet, by key. */
function createCallsInFlight() {
  const times = new Map<number, number[]>();
  return {
    timesOf: (keyNumber: number): readonly number[] => times.get(keyNumber) ?? [],
    add(keyNumber: number, atMs: number): void {
      const known = times.get(keyNumber);
      if (known === undefined) times.set(keyNumber, [atMs]);
      else known.push(atMs);
    },
    remove({ atMs, keyNumbers }: Charged): void {
      for (const keyNumber of keyNumbers) {
        const known = times.get(keyNumber);
        const index = known?.indexOf(atMs) ?? -1;
        if (index >= 0) known?.splice(index, 1);
        if (known?.length === 0) times.delete(keyNumber);
      }
    },
  };
}
