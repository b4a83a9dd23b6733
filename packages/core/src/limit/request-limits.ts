import type { LimitWindow } from './limit-window.ts';

/** How many calls a key may make. Null: as many as it likes. */
export interface RequestLimits {
  readonly minute: number | null;
  readonly hour: number | null;
  readonly day: number | null;
  /** Rolling 24 hours, beside `day` so that a plan can sell one and a key can tighten the other. */
  readonly quota24h: number | null;
}

/** What a key overrides of its plan. An absent limit is the plan's. */
export type RequestLimitOverrides = Partial<RequestLimits>;

export const noLimits: RequestLimits = { minute: null, hour: null, day: null, quota24h: null };

/** nesirat's documented limits. */
export const standardLimits: RequestLimits = {
  minute: 100,
  hour: 1_000,
  day: 10_000,
  quota24h: null,
};

const widthsMs: Readonly<Record<keyof RequestLimits, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  quota24h: 86_400_000,
};

const limitNames = Object.keys(widthsMs) as readonly (keyof RequestLimits)[];

/** The windows of the limits that are set, the narrowest first. */
export function limitWindows(limits: RequestLimits): readonly LimitWindow[] {
  const windows: LimitWindow[] = [];
  for (const name of limitNames) {
    const limit = limits[name];
    if (limit !== null) windows.push({ name, limit, widthMs: widthsMs[name] });
  }
  return windows;
}

/** A key's limits: its own where it has one, else its plan's. */
export function mergeLimits(
  plan: RequestLimits,
  overrides: RequestLimitOverrides | null,
): RequestLimits {
  return { ...plan, ...overrides };
}
