/** One line of the table: what Sandgate needs beside what its peer needs, in the same run. */
export interface Row {
  readonly what: string;
  readonly unit: 'ms' | 'ns' | 'MB' | 'MB/s' | 'of 50' | 'calls' | 'calls/s';
  readonly ours: number;
  /** What `ours` stands beside, and its value. Null where there is nothing to compare it with. */
  readonly peer: { readonly name: string; readonly value: number } | null;
  readonly target: string;
  readonly reached: boolean;
}

export const atMostTimes = (
  factor: number,
  row: Omit<Row, 'target' | 'reached' | 'peer'> & { readonly peer: NonNullable<Row['peer']> },
): Row => ({
  ...row,
  target: `at most ${factor}x`,
  reached: row.ours <= factor * row.peer.value,
});

export const atLeastTimes = (
  factor: number,
  row: Omit<Row, 'target' | 'reached' | 'peer'> & { readonly peer: NonNullable<Row['peer']> },
): Row => ({
  ...row,
  target: `at least ${factor}x`,
  reached: row.ours >= factor * row.peer.value,
});

export const atMostAbove = (
  distance: number,
  row: Omit<Row, 'target' | 'reached' | 'peer'> & { readonly peer: NonNullable<Row['peer']> },
): Row => ({
  ...row,
  target: `at most ${distance} ${row.unit} above`,
  reached: row.ours <= row.peer.value + distance,
});

/** A target by itself. What a peer needs is there to tell what the machine has to do with it. */
export const atMost = (
  limit: number,
  row: Omit<Row, 'target' | 'reached' | 'peer'> & { readonly peer?: Row['peer'] },
): Row => ({
  ...row,
  peer: row.peer ?? null,
  target: `at most ${limit} ${row.unit}`,
  reached: row.ours <= limit,
});

const number = (value: number): string => value.toFixed(value < 100 ? 2 : 0);

/** A Markdown table. */
export function tableOf(rows: readonly Row[]): string {
  const lines = rows.map(({ what, unit, ours, peer, target, reached }) =>
    [
      what,
      `${number(ours)} ${unit}`,
      peer === null ? '' : `${number(peer.value)} ${unit} (${peer.name})`,
      peer === null ? '' : `${number(ours / peer.value)}x`,
      target,
      reached ? 'yes' : 'NO',
    ].join(' | '),
  );
  return [
    'what | Sandgate, median | peer, median | ratio | target | reached',
    '---|---|---|---|---|---',
    ...lines,
  ]
    .map((line) => `| ${line} |`)
    .join('\n');
}
