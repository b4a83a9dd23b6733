import type { WindowState } from '@sandgate/core';

/** Windows that have three headers of their own, in seconds left (nesirat's second document). */
const namedWindows: Readonly<Record<string, string>> = {
  minute: 'Minute',
  hour: 'Hour',
  day: 'Day',
};

const seconds = (milliseconds: number): number => Math.ceil(milliseconds / 1_000);

const share = ({ remaining, limit }: WindowState): number => remaining / Math.max(1, limit);

/** The window with the smallest share left; of equal ones, the one that is full for longest. */
function tightest(windows: readonly WindowState[]): WindowState | undefined {
  return windows.reduce<WindowState | undefined>((least, window) => {
    if (least === undefined) return window;
    const difference = share(window) - share(least);
    const tighter =
      difference < 0 || (difference === 0 && window.resetAfterMs > least.resetAfterMs);
    return tighter ? window : least;
  }, undefined);
}

/**
 * All headers that tell a client how its key's windows stand: the short set for the tightest window
 * with the reset as an epoch second, nesirat's nine, and the IETF fields of
 * draft-ietf-httpapi-ratelimit-headers.
 */
export function setLimitHeaders(
  set: (name: string, value: string) => void,
  windows: readonly WindowState[],
  nowMs: number,
): void {
  const short = tightest(windows);
  if (short === undefined) return;
  set('X-RateLimit-Limit', String(short.limit));
  set('X-RateLimit-Remaining', String(short.remaining));
  set('X-RateLimit-Reset', String(seconds(nowMs + short.resetAfterMs)));
  for (const { name, limit, remaining, resetAfterMs } of windows) {
    const title = namedWindows[name];
    if (title === undefined) continue;
    set(`X-RateLimit-${title}-Limit`, String(limit));
    set(`X-RateLimit-${title}-Remaining`, String(remaining));
    set(`X-RateLimit-${title}-Reset`, String(seconds(resetAfterMs)));
  }
  set(
    'RateLimit-Policy',
    windows
      .map(({ name, limit, widthMs }) => `"${name}";q=${limit};w=${widthMs / 1_000}`)
      .join(', '),
  );
  set(
    'RateLimit',
    windows
      .map(
        ({ name, remaining, resetAfterMs }) =>
          `"${name}";r=${remaining};t=${seconds(resetAfterMs)}`,
      )
      .join(', '),
  );
}
