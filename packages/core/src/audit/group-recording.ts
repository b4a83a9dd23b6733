import type { Clock } from '../port/clock.ts';
import type { Timers } from '../port/timers.ts';
import type { AuditLog } from './audit-log.ts';

/** What records are stored with in groups, a moment after they were taken. */
export interface GroupRecording {
  readonly auditLog: Pick<AuditLog, 'recordAll'>;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Told when the store does not take them; they are kept and tried again. */
  readonly onError: (error: unknown) => void;
}

export const flushAfterMs = 50;
export const retryAfterMs = 1_000;
