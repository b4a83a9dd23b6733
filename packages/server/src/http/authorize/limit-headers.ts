import type { WindowState } from '@sandgate/core';

/** Windows that have three headers of their own, in seconds left (nesirat's second document). */
const namedWindows: Readonly<Record<string, string>> = {
  minute: 'Minute',
  hour: 'Hour',
  day: 'Day',
};

const seconds = (milliseconds: number): number => Math.ceil(milliseconds / 1_000);

/** The window with the smallest share left; of equal ones, the one that is full for longest. */
function tightest(windows: readonly WindowState[]): WindowState | undefined {
  return [...windows].sort(
    (one, other) =>
      one.remaining / Math.max(1, one.limit) - other.remaining / Math.max(1, other.limit) ||
      other.resetAfterMs - one.resetAfterMs,
  )[0];
}

/**
 * All headers that tell a client how its key's windows stand: the short set for the tightest window
 * with the reset as an epoch second, nesirat's nine, and the IETF fields of
 * draft-ietf-httpapi-ratelimit-headers. `retryAfterMs` adds `Retry-After` (RFC 9110, 10.2.3),
 * rounded up: a retry then passes.
 */
export function setLimitHeaders(
  headers: Headers,
  windows: readonly WindowState[],
  nowMs: number,
  retryAfterMs: number | null,
): void {
  if (retryAfterMs !== null) headers.set('Retry-After', String(seconds(retryAfterMs)));
  const short = tightest(windows);
  if (short === undefined) return;
  headers.set('X-RateLimit-Limit', String(short.limit));
  headers.set('X-RateLimit-Remaining', String(short.remaining));
  headers.set('X-RateLimit-Reset', String(seconds(nowMs + short.resetAfterMs)));
  for (const { name, limit, remaining, resetAfterMs } of windows) {
    const title = namedWindows[name];
    if (title === undefined) continue;
    headers.set(`X-RateLimit-${title}-Limit`, String(limit));
    headers.set(`X-RateLimit-${title}-Remaining`, String(remaining));
    headers.set(`X-RateLimit-${title}-Reset`, String(seconds(resetAfterMs)));
  }
  headers.set(
    'RateLimit-Policy',
    windows
      .map(({ name, limit, widthMs }) => `"${name}";q=${limit};w=${widthMs / 1_000}`)
      .join(', '),
  );
  headers.set(
    'RateLimit',
    windows
      .map(
        ({ name, remaining, resetAfterMs }) =>
          `"${name}";r=${remaining};t=${seconds(resetAfterMs)}`,
      )
      .join(', '),
  );
}
