import type { CheckStep } from './check.ts';

/** Counts the call, and lets it go on once the count is committed. */
export const recordUse: CheckStep = async (check) => {
  if (check.key === null) return null;
  await check.dependencies.recorder.record(check.key.id, check.dependencies.clock.nowMs());
  return null;
};
