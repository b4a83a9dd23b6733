import { SandgateError } from '../../error/sandgate-error.ts';
import { limitAccounts } from '../../limit/limit-accounts.ts';
import type { LimitAccount } from '../../port/counters.ts';
import type { CheckStep } from './check.ts';

/** What a refused window is called in a sentence. */
const windowNames: Readonly<Record<string, string>> = {
  minute: 'minute',
  hour: 'hour',
  day: 'day',
  quota24h: 'day (rolling 24 hours)',
};

/** Looks at every window of the key and of its ancestors, and charges all of them or none. */
export const chargeLimits: CheckStep = async (check) => {
  const { key, ancestors, dependencies } = check;
  if (key === null) return null;
  const accounts = limitAccounts([key, ...ancestors], (each) =>
    dependencies.limitsOf(each, check.workspace),
  );
  if (accounts.length === 0) return null;
  const nowMs = dependencies.clock.nowMs();
  const { decision, states } = await dependencies.counters.take(accounts, nowMs);
  check.limits = states;
  if (decision.accepted) {
    check.charged = { atMs: decision.chargedAtMs, keyNumbers: accounts.map(numberOf) };
    return null;
  }
  const { name } = decision.fullWindow;
  const seconds = Math.ceil(decision.retryAfterMs / 1_000);
  return new SandgateError(
    'rate_limited',
    `Rate limit exceeded for ${windowNames[name] ?? name}. Try again in ${seconds} seconds`,
    { data: { window: name, retryAfterMs: decision.retryAfterMs } },
  );
};

const numberOf = ({ keyNumber }: LimitAccount): number => keyNumber;
