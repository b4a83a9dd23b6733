/**
 * The end of a turn of the event loop, in two halves: first what was gathered is worked off together,
 * and then what came of it is settled together. Promises are followed in between.
 */
export interface TurnEnd {
  /**
   * Runs in the first half of a turn that brought nothing more to gather, or of the last one that is
   * waited for: so what has arrived already is worked off with it, up to the size of a group.
   */
  readonly gather: (run: () => void) => void;
  /** Runs in the second half: also for what the first half, or a promise after it, asks for. */
  readonly settle: (run: () => void) => void;
}

/** Each takes as long as it takes to read what has arrived, and no longer. */
const mostTurnsWaited = 3;

/**
 * Enough to share what a group costs. The first answers of a larger one would wait for its last, and
 * whoever asked would have nothing to do meanwhile.
 */
const largestGroup = 16;

/** `together`: runs all that was gathered. */
export function createTurnEnd(together: (work: () => void) => void = (work) => work()): TurnEnd {
  const gathered: (() => void)[] = [];
  let settled: (() => void)[] = [];
  let gatheredBefore = 0;
  let turnsWaited = 0;
  let settling = false;

  // Immediates of one turn run in the order in which they were asked for: the first half of a turn
  // is always asked for before the second.
  const endGathering = (): void => {
    const more = gathered.length > gatheredBefore && turnsWaited < mostTurnsWaited;
    if (more && gathered.length < largestGroup) {
      gatheredBefore = gathered.length;
      turnsWaited += 1;
      setImmediate(endGathering);
      return;
    }
    const runs = gathered.splice(0, largestGroup);
    gatheredBefore = 0;
    turnsWaited = 0;
    if (gathered.length > 0) setImmediate(endGathering);
    together(() => {
      for (const run of runs) run();
    });
  };

  const endSettling = (): void => {
    const runs = settled;
    settled = [];
    settling = false;
    if (gathered.length > 0) expectSettling();
    for (const run of runs) run();
  };

  const expectSettling = (): void => {
    if (settling) return;
    settling = true;
    setImmediate(endSettling);
  };

  return {
    gather(run) {
      if (gathered.push(run) === 1) setImmediate(endGathering);
      expectSettling();
    },
    settle(run) {
      settled.push(run);
      expectSettling();
    },
  };
}
