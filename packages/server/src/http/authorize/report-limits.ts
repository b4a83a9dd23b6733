import type { Clock, WindowState } from '@sandgate/core';
import { type RequestContext, setResponseHeader } from '../request-context.ts';
import { addLimitHeaders } from './limit-headers.ts';

/** Tells a client how its key's windows stand, as soon as a call was checked. */
export function reportLimits(
  context: RequestContext,
  clock: Clock,
): (limits: readonly WindowState[]) => void {
  return (limits) => {
    const headers: string[] = [];
    addLimitHeaders(headers, limits, clock.nowMs());
    for (let index = 0; index < headers.length; index += 2) {
      setResponseHeader(context, headers[index] ?? '', headers[index + 1] ?? '');
    }
  };
}
