import { averageMs, type UsageSummary } from '@sandgate/core';
import { toSeconds } from '../shared-schemas.ts';

/** To the microsecond, which is as exact as durations are kept. */
export const averageSeconds = (sum: UsageSummary): number =>
  Math.round(toSeconds(averageMs(sum)) * 1e6) / 1e6;
