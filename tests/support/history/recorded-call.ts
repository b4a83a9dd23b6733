/** A key that the clients of a history use. */
export interface HistoryTarget {
  /** Name in the history. */
  readonly name: string;
  readonly keyNumber: number;
  /** Texts that belong to it, the newest last; each call takes any of them. */
  readonly texts: readonly string[];
}

/** What one client saw of one call. */
export interface RecordedCall {
  readonly target: string;
  /** By a clock that all processes of the machine share and nobody sets. */
  readonly sentMs: number;
  readonly receivedMs: number;
  /** The same two moments by the clock that the server's records use. */
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
  /** Null when no answer came, so that nobody knows what became of it. */
  readonly status: number | null;
  readonly requestId: string | null;
}

/** What the test tells a client process. */
export type ClientOrder =
  | { readonly kind: 'address'; readonly address: string }
  | { readonly kind: 'targets'; readonly targets: readonly HistoryTarget[] }
  | { readonly kind: 'end' };

/** What a client process tells the test. */
export type ClientReport =
  | { readonly kind: 'calls'; readonly calls: readonly RecordedCall[] }
  | { readonly kind: 'ended' };

/** Milliseconds of the machine's monotonic clock: comparable between its processes. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;
