import { SandgateError } from '../error/sandgate-error.ts';

/** The refusal of one try too many, of whatever is budgeted apart from the limits of keys. */
export const tooMany = (what: string, window: string, retryAfterMs: number): SandgateError =>
  new SandgateError(
    'rate_limited',
    `Too many ${what}. Try again in ${Math.ceil(retryAfterMs / 1_000)} seconds`,
    { data: { window, retryAfterMs } },
  );
