import { describe, expect, it } from 'vitest';
import {
  type History,
  type HistoryRules,
  type RecordedRow,
  violationsOf,
} from '../support/history/check-history.ts';
import type { RecordedCall } from '../support/history/recorded-call.ts';

const rules: HistoryRules = {
  keyNumbers: { limited: 1, victim: 2, parent: 3, child: 4, grandchild: 5, orphan: 6 },
  windows: {
    limited: [{ limit: 2, widthMs: 1_000 }],
    parent: [{ limit: 2, widthMs: 1_000 }],
    child: [{ limit: 3, widthMs: 1_000 }],
  },
  parents: { child: 'parent', grandchild: 'child', orphan: 'victim' },
  revocationSentMs: { victim: 5_000 },
  revokedMs: { victim: 5_010 },
  revokedAtMs: { victim: 905_010 },
};

/** A call that took 10 ms, with its row. The two clocks are 900 seconds apart. */
const seen = (
  target: string,
  sentMs: number,
  changes: { call?: Partial<RecordedCall>; row?: Partial<RecordedRow> | null } = {},
) => {
  const requestId = `${target} ${sentMs}`;
  const call: RecordedCall = {
    target,
    sentMs,
    receivedMs: sentMs + 10,
    sentAtMs: sentMs + 900_000,
    receivedAtMs: sentMs + 900_010,
    status: 200,
    requestId,
    ...changes.call,
  };
  const row: RecordedRow = {
    requestId,
    keyNumber: rules.keyNumbers[target] ?? 0,
    status: call.status ?? 200,
    accepted: call.status !== 429,
    atMs: sentMs + 900_005,
    ...changes.row,
  };
  return { call, row: changes.row === null ? null : row };
};

const check = (...all: readonly ReturnType<typeof seen>[]): readonly string[] => {
  const history: History = {
    calls: all.map(({ call }) => call),
    rows: all.flatMap(({ row }) => row ?? []),
  };
  return violationsOf(history, rules);
};

describe('the checker of histories', () => {
  it('finds nothing wrong with a history that keeps every rule to the millisecond', () => {
    expect(
      check(
        seen('limited', 0),
        seen('limited', 10),
        seen('limited', 500, { call: { status: 429 } }),
        seen('limited', 1_000),
        seen('limited', 1_010, { call: { status: null, requestId: null } }),
        seen('victim', 4_000),
        seen('victim', 5_001),
        seen('victim', 5_001.5, { call: { status: 401 }, row: null }),
        seen('victim', 6_000, { call: { status: 429 }, row: null }),
        seen('parent', 7_000),
        seen('grandchild', 7_010),
        seen('grandchild', 7_020, { call: { status: 429 } }),
        seen('child', 8_000),
        seen('orphan', 5_001),
        seen('orphan', 5_002, { call: { status: 401 }, row: null }),
      ),
    ).toEqual([]);
  });

  it('finds a window that a key and its descendants overran together', () => {
    expect(check(seen('parent', 0), seen('child', 10), seen('grandchild', 980))).toEqual([
      'parent: 3 rows in 980 ms, where 1000 ms take 2',
      'parent: 3 calls sent and answered in 990 ms, where 1000 ms take 2',
    ]);
    const cut = { call: { status: null, requestId: null } };
    expect(check(seen('child', 0), seen('child', 10), seen('grandchild', 999, cut))).toEqual([
      'parent: 3 rows in 999 ms, where 1000 ms take 2',
    ]);
  });

  it('finds a child that outlives its parent, answered or not', () => {
    const cut = { call: { status: null, requestId: null } };
    expect(check(seen('orphan', 5_011))).toEqual([
      'orphan: accepted a call sent 1 ms after it was revoked',
      'orphan: a row 6 ms after it was revoked',
    ]);
    expect(check(seen('orphan', 5_011, cut))).toEqual(['orphan: a row 6 ms after it was revoked']);
  });

  it('finds a window with one call more, in the rows and in what clients saw', () => {
    const found = check(seen('limited', 0), seen('limited', 10), seen('limited', 980));
    expect(found).toEqual([
      'limited: 3 rows in 980 ms, where 1000 ms take 2',
      'limited: 3 calls sent and answered in 990 ms, where 1000 ms take 2',
    ]);
  });

  it('finds a full window whose one call more was never answered', () => {
    const cut = { call: { status: null, requestId: null } };
    const found = check(seen('limited', 0), seen('limited', 10), seen('limited', 999, cut));
    expect(found).toEqual(['limited: 3 rows in 999 ms, where 1000 ms take 2']);
  });

  it('finds a full window that the rows deny', () => {
    const early = { row: { atMs: 899_995 } };
    const found = check(seen('limited', 5, early), seen('limited', 15), seen('limited', 990));
    expect(found).toContain('limited: 3 calls sent and answered in 995 ms, where 1000 ms take 2');
  });

  it.each([
    ['is not there', seen('limited', 0, { row: null }), 'has no row'],
    ['is of another key', seen('limited', 0, { row: { keyNumber: 2 } }), '"same":false'],
    ['says another status', seen('limited', 0, { row: { status: 0 } }), '"same":false'],
    ['was not counted', seen('limited', 0, { row: { accepted: false } }), '"same":false'],
    ['is of another time', seen('limited', 0, { row: { atMs: 900_016 } }), '"inTime":false'],
  ])('finds a row that %s', (_, call, wording) => {
    expect(check(call).join()).toContain(wording);
  });

  it('finds a call that is written down twice', () => {
    const one = seen('limited', 0);
    expect(check(one, { ...one, call: seen('limited', 0).call })).toContain(
      'request limited 0 has 2 rows',
    );
  });

  it('finds life after a revocation, answered or not', () => {
    const cut = { call: { status: null, requestId: null } };
    expect(check(seen('victim', 5_011))).toEqual([
      'victim: accepted a call sent 1 ms after it was revoked',
      'victim: a row 6 ms after it was revoked',
    ]);
    expect(check(seen('victim', 5_011, cut))).toEqual(['victim: a row 6 ms after it was revoked']);
  });

  it('finds a refusal for which there is no reason', () => {
    expect(check(seen('limited', 0, { call: { status: 503 } }))).toContain(
      'limited: unexpected answer 503',
    );
    expect(check(seen('victim', 0, { call: { status: 401 }, row: null }))).toContain(
      'victim: unexpected answer 401',
    );
  });
});
