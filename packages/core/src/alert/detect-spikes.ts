import type { UsageBucket } from '../usage/usage-row.ts';
import type { AlertFinding } from './alert.ts';
import type { AlertThresholds } from './alert-settings.ts';

const hourMs = 3_600_000;
const historyHours = 168;
/** A key younger than this has no history to be held against. */
const leastHistoryHours = 24;

export interface HourOfCalls {
  readonly calls: number;
  readonly errors: number;
}

/** Calls of one key, hour by hour (clock hours, UTC). */
export interface CallHistory {
  /** The hour that has just begun, so far. */
  readonly current: HourOfCalls;
  /** The last whole hour. */
  readonly previous: HourOfCalls;
  /** The whole hours of the week before that, of those in which the key existed. */
  readonly before: readonly HourOfCalls[];
}

const none: HourOfCalls = { calls: 0, errors: 0 };

const startOfHour = (ms: number): number => ms - (ms % hourMs);

/** When the history that `toCallHistory` looks at begins. */
export const historyStartMs = (nowMs: number): number =>
  startOfHour(nowMs) - (historyHours + 1) * hourMs;

/** From buckets of one key, by hour, since `historyStartMs`. */
export function toCallHistory(
  buckets: readonly Pick<UsageBucket, 'startMs' | 'calls' | 'successes'>[],
  { createdAtMs, nowMs }: { readonly createdAtMs: number; readonly nowMs: number },
): CallHistory {
  const hours = new Map<number, HourOfCalls>();
  for (const { startMs, calls, successes } of buckets) {
    const sum = hours.get(startMs) ?? none;
    hours.set(startMs, {
      calls: sum.calls + calls,
      errors: sum.errors + calls - successes,
    });
  }
  const currentStartMs = startOfHour(nowMs);
  const at = (hoursAgo: number): HourOfCalls =>
    hours.get(currentStartMs - hoursAgo * hourMs) ?? none;
  const existed = Math.floor((currentStartMs - hourMs - createdAtMs) / hourMs);
  const length = Math.max(0, Math.min(historyHours, existed));
  return {
    current: at(0),
    previous: at(1),
    before: Array.from({ length }, (_, index) => at(index + 2)),
  };
}

/**
 * More calls in this or the last clock hour than `rateSpikeFactor` times the busiest hour of the
 * week before, and at least `rateSpikeMinimumCalls`.
 */
export function detectRateSpike(
  { current, previous, before }: CallHistory,
  { rateSpikeFactor, rateSpikeMinimumCalls }: AlertThresholds,
): AlertFinding | null {
  if (before.length < leastHistoryHours) return null;
  const busiest = Math.max(...before.map(({ calls }) => calls));
  const threshold = Math.max(rateSpikeMinimumCalls, rateSpikeFactor * busiest);
  const value = Math.max(current.calls, previous.calls);
  if (value <= threshold) return null;
  return {
    type: 'rate_spike',
    level: 'warning',
    message: `${value} calls in an hour, where the busiest hour of the week before had ${busiest}`,
    value,
    threshold,
  };
}

/**
 * Of at least `errorSpikeMinimumCalls` calls in this or the last clock hour, a greater share fails
 * than usually does: over `u + errorSpikeShare * (1 - u)`, where u is the share of the week before.
 */
export function detectErrorSpike(
  { current, previous, before }: CallHistory,
  { errorSpikeShare, errorSpikeMinimumCalls }: AlertThresholds,
): AlertFinding | null {
  const usual = before.reduce(
    (sum, { calls, errors }) => ({ calls: sum.calls + calls, errors: sum.errors + errors }),
    none,
  );
  // A handful of calls says little about what is usual: then nothing is taken to fail.
  const usualShare = usual.calls < errorSpikeMinimumCalls ? 0 : usual.errors / usual.calls;
  const threshold = usualShare + errorSpikeShare * (1 - usualShare);
  const shares = [current, previous]
    .filter(({ calls }) => calls >= errorSpikeMinimumCalls)
    .map(({ calls, errors }) => errors / calls);
  const value = Math.max(0, ...shares);
  // Nothing exceeds a share of 1: where only all failing is unusual, all failing counts.
  const unusual = threshold === 1 ? value === 1 && usualShare < 1 : value > threshold;
  if (!unusual) return null;
  return {
    type: 'error_spike',
    level: 'warning',
    message: `${percent(value)} of the calls in an hour fail, where usually ${percent(usualShare)} do`,
    value,
    threshold,
  };
}

const percent = (share: number): string => `${Math.round(share * 1_000) / 10} %`;
