/**
 * The end of a turn of the event loop, in two halves: first what was gathered in the turn is worked
 * off together, and then what came of it is settled together. Promises are followed in between.
 */
export interface TurnEnd {
  /** Runs in the first half, when everything that had arrived has been read. */
  readonly gather: (run: () => void) => void;
  /** Runs in the second half: also for what the first half, or a promise after it, asks for. */
  readonly settle: (run: () => void) => void;
}

export function createTurnEnd(): TurnEnd {
  const gathered = createStep();
  const settled = createStep();
  return {
    gather(run) {
      gathered.add(run);
      // Immediates of one turn run in the order in which they were asked for.
      settled.schedule();
    },
    settle: settled.add,
  };
}

function createStep() {
  let runs: (() => void)[] = [];
  let scheduled = false;
  const runAll = (): void => {
    const now = runs;
    runs = [];
    scheduled = false;
    for (const run of now) run();
  };
  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(runAll);
  };
  return {
    schedule,
    add(run: () => void): void {
      runs.push(run);
      schedule();
    },
  };
}
