import type { Clock, WindowState } from '@sandgate/core';
import { type RequestContext, setResponseHeader } from '../request-context.ts';
import { setLimitHeaders } from './limit-headers.ts';

/** Tells a client how its key's windows stand, as soon as a call was checked. */
export function reportLimits(
  context: RequestContext,
  clock: Clock,
): (limits: readonly WindowState[]) => void {
  const set = (name: string, value: string): void => setResponseHeader(context, name, value);
  return (limits) => setLimitHeaders(set, limits, clock.nowMs());
}
