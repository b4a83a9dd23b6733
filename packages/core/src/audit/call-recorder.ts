import type { AuditRecord } from './audit-log.ts';
import { flushAfterMs, type GroupRecording, retryAfterMs } from './group-recording.ts';

export interface CallRecorder {
  /**
   * Takes the record of a call, which is stored a moment later. Waits for the store when too many are
   * waiting, and throws what it throws.
   */
  take(record: AuditRecord): Promise<void>;
  /** Resolves when everything taken so far is stored. */
  close(): Promise<void>;
}

const maxWaiting = 2_000;

/**
 * Records calls that have a committed usage row already, in groups: a transaction and a seal for each
 * of them would take longer than all else that is done for it.
 */
export function createCallRecorder({
  auditLog,
  clock,
  timers,
  onError,
}: GroupRecording): CallRecorder {
  let waiting: AuditRecord[] = [];
  let writing: Promise<void> | null = null;
  let cancel: (() => void) | null = null;

  const write = async (): Promise<void> => {
    const records = waiting;
    waiting = [];
    try {
      await auditLog.recordAll(records);
    } catch (error) {
      waiting = [...records, ...waiting];
      throw error;
    }
  };
  const flush = async (): Promise<void> => {
    cancel?.();
    cancel = null;
    writing ??= write().finally(() => {
      writing = null;
    });
    await writing;
  };
  const flushLater = (delayMs: number): void => {
    cancel ??= timers.after(delayMs, () => {
      cancel = null;
      flush().then(
        () => {
          if (waiting.length > 0) flushLater(flushAfterMs);
        },
        (error: unknown) => {
          onError(error);
          flushLater(retryAfterMs);
        },
      );
    });
  };

  return {
    async take(record) {
      waiting.push({ atMs: clock.nowMs(), ...record });
      if (waiting.length >= maxWaiting) await flush();
      else flushLater(flushAfterMs);
    },
    async close() {
      while (waiting.length > 0) await flush();
      cancel?.();
    },
  };
}
