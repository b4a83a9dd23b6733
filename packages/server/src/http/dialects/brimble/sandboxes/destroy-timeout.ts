const hourMs = 3_600_000;

/** How long a sandbox may be asked to live. */
export const destroyTimeouts = {
  '30m': hourMs / 2,
  '1h': hourMs,
  '3h': 3 * hourMs,
  '6h': 6 * hourMs,
  '12h': 12 * hourMs,
  '18h': 18 * hourMs,
} as const;

export type DestroyTimeout = keyof typeof destroyTimeouts;

export const destroyTimeoutNames = Object.keys(destroyTimeouts) as readonly DestroyTimeout[];
