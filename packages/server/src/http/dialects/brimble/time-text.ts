export const toTime = (atMs: number): string => new Date(atMs).toISOString();

export const toTimeOrNull = (atMs: number | null): string | null =>
  atMs === null ? null : toTime(atMs);
