import type { RecordedCall } from './recorded-call.ts';

/** A usage row, as the database has it. */
export interface RecordedRow {
  readonly requestId: string;
  readonly keyNumber: number;
  readonly status: number;
  readonly accepted: boolean;
  readonly atMs: number;
}

export interface HistoryWindow {
  readonly limit: number;
  readonly widthMs: number;
}

/** What a history has to keep to, beside the usage of each acknowledged call. */
export interface HistoryRules {
  readonly keyNumbers: Readonly<Record<string, number>>;
  readonly windows: Readonly<Record<string, readonly HistoryWindow[]>>;
  /** Of each child: a call of it is charged to all its ancestors, and it dies with the first of them. */
  readonly parents: Readonly<Record<string, string>>;
  /** When the first answer to a revocation of it was in hand, by the machine's monotonic clock. */
  readonly revokedMs: Readonly<Record<string, number>>;
  /** The same by the clock of the server's records. */
  readonly revokedAtMs: Readonly<Record<string, number>>;
  /** When the first revocation of it was sent. */
  readonly revocationSentMs: Readonly<Record<string, number>>;
}

export interface History {
  readonly calls: readonly RecordedCall[];
  readonly rows: readonly RecordedRow[];
}

/** The server's clock counts whole milliseconds: two moments may be that much nearer than it says. */
const clockGrainMs = 1;

const clockToleranceMs = 5;

const accepted = ({ status }: RecordedCall): boolean =>
  status !== null && status >= 200 && status < 300;

/** Every way in which a history breaks its rules, worded for whoever reads the failed test. */
export function violationsOf(history: History, rules: HistoryRules): readonly string[] {
  return [
    ...windowsBrokenByRows(history, rules),
    ...windowsBrokenByCalls(history, rules),
    ...rowsThatDoNotMatch(history, rules),
    ...lifeAfterRevocation(history, rules),
    ...rowsAfterRevocation(history, rules),
  ];
}

/** A key, its parent, that one's parent, and so on. */
const lineOf = (target: string, { parents }: Pick<HistoryRules, 'parents'>): readonly string[] => {
  const parent = parents[target];
  return parent === undefined ? [target] : [target, ...lineOf(parent, { parents })];
};

/** The accepted calls that count for a key, as the server wrote them down: its own, and those of all its descendants. */
export function rowsChargedTo(
  target: string,
  { rows }: Pick<History, 'rows'>,
  rules: HistoryRules,
): readonly RecordedRow[] {
  const numbers = new Set(
    Object.entries(rules.keyNumbers)
      .filter(([name]) => lineOf(name, rules).includes(target))
      .map(([, number]) => number),
  );
  return rows.filter((row) => row.accepted && numbers.has(row.keyNumber));
}

/** The earliest of what happened to a key or to any of its ancestors. */
function firstInLine(
  target: string,
  moments: Readonly<Record<string, number>>,
  rules: HistoryRules,
): number {
  return Math.min(...lineOf(target, rules).map((each) => moments[each] ?? Infinity));
}

/** By the times that the server wrote down: the call after a full window must be a width later. */
function windowsBrokenByRows(history: History, rules: HistoryRules): readonly string[] {
  return Object.entries(rules.windows).flatMap(([target, windows]) => {
    const times = rowsChargedTo(target, history, rules)
      .map(({ atMs }) => atMs)
      .toSorted((a, b) => a - b);
    return windows.flatMap(({ limit, widthMs }) =>
      times.flatMap((time, index) => {
        const spreadMs = (times[index + limit] ?? Number.POSITIVE_INFINITY) - time;
        return spreadMs >= widthMs
          ? []
          : [`${target}: ${limit + 1} rows in ${spreadMs} ms, where ${widthMs} ms take ${limit}`];
      }),
    );
  });
}

/** By what clients know for sure: a call was accepted at some moment between sending and answer. */
function windowsBrokenByCalls({ calls }: History, rules: HistoryRules): readonly string[] {
  return Object.entries(rules.windows).flatMap(([target, windows]) => {
    const taken = calls.filter(
      (call) => accepted(call) && lineOf(call.target, rules).includes(target),
    );
    return windows.flatMap(({ limit, widthMs }) =>
      taken.flatMap(({ sentMs }) => {
        const ends = taken
          .filter((call) => call.sentMs >= sentMs)
          .map((call) => call.receivedMs)
          .toSorted((a, b) => a - b);
        const spreadMs = (ends[limit] ?? Number.POSITIVE_INFINITY) - sentMs;
        return spreadMs >= widthMs - clockGrainMs
          ? []
          : [
              `${target}: ${limit + 1} calls sent and answered in ${spreadMs} ms, where ${widthMs} ms take ${limit}`,
            ];
      }),
    );
  });
}

/** Each answer that a key was told has its row, once, and the row says the same. */
function rowsThatDoNotMatch({ calls, rows }: History, rules: HistoryRules): readonly string[] {
  const byRequest = Map.groupBy(rows, ({ requestId }) => requestId);
  const doubled = [...byRequest].flatMap(([requestId, found]) =>
    found.length === 1 ? [] : [`request ${requestId} has ${found.length} rows`],
  );
  const wrong = calls.flatMap((call) => {
    if (call.status === null) return [];
    const what = `${call.target}: request ${call.requestId}, answered with ${call.status},`;
    const row = byRequest.get(call.requestId ?? '')?.[0];
    if (isStrangers(call, rules)) return row === undefined ? [] : [`${what} has a row`];
    if (row === undefined) return [`${what} has no row`];
    const same =
      row.keyNumber === rules.keyNumbers[call.target] &&
      row.status === call.status &&
      row.accepted === accepted(call);
    const inTime =
      row.atMs >= call.sentAtMs - clockToleranceMs &&
      row.atMs <= call.receivedAtMs + clockToleranceMs;
    return same && inTime
      ? []
      : [`${what} has the row ${JSON.stringify({ ...row, same, inTime })}`];
  });
  return [...doubled, ...wrong];
}

/** Refused as an unknown credential, or by the budget of its address for such: nobody's usage. */
const isStrangers = (call: RecordedCall, rules: HistoryRules): boolean =>
  call.receivedMs >= firstInLine(call.target, rules.revocationSentMs, rules) &&
  (call.status === 401 || call.status === 429);

/** Nothing but an answer, a limit, or the end of a revoked key; and the end is the end. */
function lifeAfterRevocation({ calls }: History, rules: HistoryRules): readonly string[] {
  return calls.flatMap((call) => {
    const { target, status, sentMs } = call;
    const revokedMs = firstInLine(target, rules.revokedMs, rules);
    if (sentMs > revokedMs && accepted(call)) {
      return [`${target}: accepted a call sent ${sentMs - revokedMs} ms after it was revoked`];
    }
    const limited =
      status === 429 && lineOf(target, rules).some((each) => rules.windows[each] !== undefined);
    const expected = status === null || accepted(call) || limited || isStrangers(call, rules);
    return expected ? [] : [`${target}: unexpected answer ${status}`];
  });
}

/** Also of calls whose answers nobody saw. */
function rowsAfterRevocation({ rows }: History, rules: HistoryRules): readonly string[] {
  return Object.entries(rules.keyNumbers).flatMap(([target, keyNumber]) => {
    const revokedAtMs = firstInLine(target, rules.revokedAtMs, rules);
    return rows
      .filter((row) => row.keyNumber === keyNumber && row.accepted)
      .filter(({ atMs }) => atMs > revokedAtMs + clockToleranceMs)
      .map(({ atMs }) => `${target}: a row ${atMs - revokedAtMs} ms after it was revoked`);
  });
}
