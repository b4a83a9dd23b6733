import { SandgateError } from '../../error/sandgate-error.ts';
import { limitWindows } from '../../limit/request-limits.ts';
import type { CheckStep } from './check.ts';

/** What a refused window is called in a sentence. */
const windowNames: Readonly<Record<string, string>> = {
  minute: 'minute',
  hour: 'hour',
  day: 'day',
  quota24h: 'day (rolling 24 hours)',
};

/** Looks at every window of the key, and charges all of them or none. */
export const chargeLimits: CheckStep = async (check) => {
  const { key, dependencies } = check;
  if (key === null) return null;
  const windows = limitWindows(dependencies.limitsOf(key, check.workspace));
  if (windows.length === 0) return null;
  const nowMs = dependencies.clock.nowMs();
  const decision = await dependencies.counters.take(key.number, windows, nowMs);
  check.limits = decision.states;
  if (decision.accepted) {
    check.chargedAtMs = decision.chargedAtMs;
    return null;
  }
  const window = windows[decision.fullWindow ?? 0]?.name ?? 'minute';
  const seconds = Math.ceil(decision.retryAfterMs / 1_000);
  return new SandgateError(
    'rate_limited',
    `Rate limit exceeded for ${windowNames[window] ?? window}. Try again in ${seconds} seconds`,
    { data: { window, retryAfterMs: decision.retryAfterMs } },
  );
};
