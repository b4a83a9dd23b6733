import type { RequestLimitOverrides, RequestLimits } from '@sandgate/core';

interface LimitFields {
  readonly minute?: number | null | undefined;
  readonly hour?: number | null | undefined;
  readonly day?: number | null | undefined;
  readonly quota_24h?: number | null | undefined;
}

/** The limits that a request gives; those that it leaves out are the plan's. */
export function limitOverrides({
  minute,
  hour,
  day,
  quota_24h,
}: LimitFields): RequestLimitOverrides {
  return {
    ...(minute === undefined ? {} : { minute }),
    ...(hour === undefined ? {} : { hour }),
    ...(day === undefined ? {} : { day }),
    ...(quota_24h === undefined ? {} : { quota24h: quota_24h }),
  };
}

/** Limits in force. Null: unlimited. */
export const limitFields = ({ minute, hour, day, quota24h }: RequestLimits) => ({
  minute,
  hour,
  day,
  quota_24h: quota24h,
});
