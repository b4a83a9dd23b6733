import { SandgateError, tooMany } from '@sandgate/core';
import type { PeopleContext } from './people-context.ts';

/**
 * Runs what may refuse a stranger's secret, and writes the refusal down. Each one costs the address
 * something; a good secret is never asked.
 */
export async function refuseStranger<T>(
  { failures, onRefusal, clock, address, requestId }: PeopleContext,
  endpoint: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SandgateError)) throw error;
    const actor = { kind: 'stranger' } as const;
    onRefusal({ actor, address, requestId, code: error.code, endpoint });
    if (error.code === 'rate_limited') throw error;
    const retryAfterMs = failures.charge(address, clock.nowMs());
    if (retryAfterMs === 0) throw error;
    throw tooMany('refused tries from this address', 'failures', retryAfterMs);
  }
}
