import type { WindowState } from '@sandgate/core';

/** Windows that have three headers of their own, in seconds left: nesirat's, and the quota likewise. */
const namedWindows: Readonly<Record<string, ReturnType<typeof threeNames>>> = {
  minute: threeNames('Minute'),
  hour: threeNames('Hour'),
  day: threeNames('Day'),
  quota24h: threeNames('Quota'),
};

function threeNames(title: string) {
  const prefix = `X-RateLimit-${title}`;
  return { limit: `${prefix}-Limit`, remaining: `${prefix}-Remaining`, reset: `${prefix}-Reset` };
}

const seconds = (milliseconds: number): number => Math.ceil(milliseconds / 1_000);

const share = ({ remaining, limit }: WindowState): number => remaining / Math.max(1, limit);

/** The window with the smallest share left; of equal ones, the one that is full for longest. */
function tightest(windows: readonly WindowState[]): WindowState | undefined {
  let least = windows[0];
  for (const window of windows) {
    if (least === undefined) break;
    const difference = share(window) - share(least);
    const tighter =
      difference < 0 || (difference === 0 && window.resetAfterMs > least.resetAfterMs);
    if (tighter) least = window;
  }
  return least;
}

/**
 * Adds all headers that tell a client how its key's windows stand, as names and values in turn: the
 * short set for the tightest window with the reset as an epoch second, nesirat's nine, and the IETF fields
 * of draft-ietf-httpapi-ratelimit-headers.
 */
export function addLimitHeaders(
  headers: string[],
  windows: readonly WindowState[],
  nowMs: number,
): void {
  const short = tightest(windows);
  if (short === undefined) return;
  headers.push('X-RateLimit-Limit', String(short.limit));
  headers.push('X-RateLimit-Remaining', String(short.remaining));
  headers.push('X-RateLimit-Reset', String(seconds(nowMs + short.resetAfterMs)));
  let policy = '';
  let standing = '';
  for (const { name, limit, widthMs, remaining, resetAfterMs } of windows) {
    const reset = seconds(resetAfterMs);
    const names = namedWindows[name];
    if (names !== undefined) {
      headers.push(names.limit, String(limit));
      headers.push(names.remaining, String(remaining));
      headers.push(names.reset, String(reset));
    }
    const separator = policy === '' ? '' : ', ';
    policy += `${separator}"${name}";q=${limit};w=${widthMs / 1_000}`;
    standing += `${separator}"${name}";r=${remaining};t=${reset}`;
  }
  headers.push('RateLimit-Policy', policy, 'RateLimit', standing);
}
