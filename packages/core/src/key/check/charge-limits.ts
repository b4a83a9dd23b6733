import { SandgateError } from '../../error/sandgate-error.ts';
import { limitAccounts } from '../../limit/limit-accounts.ts';
import type { LimitDecision } from '../../limit/limit-window.ts';
import { whenKnown } from '../../port/awaitable.ts';
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
export const chargeLimits: CheckStep = (check) => {
  const { key, ancestors, dependencies } = check;
  if (key === null) return null;
  const accounts = limitAccounts([key, ...ancestors], (each) =>
    dependencies.limitsOf(each, check.workspace),
  );
  if (accounts.length === 0) return null;
  const nowMs = dependencies.clock.nowMs();
  return whenKnown(dependencies.counters.take(accounts, nowMs), ({ decision, states }) => {
    check.limits = states;
    if (!decision.accepted) return limitReached(decision);
    check.charged = { atMs: decision.chargedAtMs, keyNumbers: accounts.map(numberOf) };
    return null;
  });
};

function limitReached(decision: Extract<LimitDecision, { accepted: false }>): SandgateError {
  const { name } = decision.fullWindow;
  const seconds = Math.ceil(decision.retryAfterMs / 1_000);
  return new SandgateError(
    'rate_limited',
    `Rate limit exceeded for ${windowNames[name] ?? name}. Try again in ${seconds} seconds`,
    { data: { window: name, retryAfterMs: decision.retryAfterMs } },
  );
}

const numberOf = ({ keyNumber }: LimitAccount): number => keyNumber;
