import type { UsageBucket, UsageSummary } from './usage-row.ts';

/** What summing up leaves of a bucket: it is of no hour or day any more. */
export type EndpointSum = Omit<UsageBucket, 'startMs' | 'keyNumber'>;

export interface UsageSums {
  readonly total: UsageSummary;
  /** By endpoint and method, in the order of their names. */
  readonly endpoints: readonly EndpointSum[];
}

const nothing: UsageSummary = { calls: 0, successes: 0, durationMs: 0 };

const plus = (one: UsageSummary, other: UsageSummary): UsageSummary => ({
  calls: one.calls + other.calls,
  successes: one.successes + other.successes,
  durationMs: one.durationMs + other.durationMs,
});

/** Adds buckets up over all their hours or days. */
export function sumUsage(buckets: readonly UsageBucket[]): UsageSums {
  const sums = new Map<string, EndpointSum>();
  for (const bucket of buckets) {
    const { endpoint, method } = bucket;
    const name = `${endpoint} ${method}`;
    sums.set(name, { endpoint, method, ...plus(sums.get(name) ?? nothing, bucket) });
  }
  return {
    total: buckets.reduce<UsageSummary>(plus, nothing),
    endpoints: [...sums.entries()]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([, sum]) => sum),
  };
}

/** Percent with one decimal; 0 where there were no calls. */
export const successRate = ({ calls, successes }: UsageSummary): number =>
  calls === 0 ? 0 : Math.round((successes / calls) * 1_000) / 10;

/** 0 where there were no calls. */
export const averageMs = ({ calls, durationMs }: UsageSummary): number =>
  calls === 0 ? 0 : durationMs / calls;
