import type { ErrorCode } from '../error/error-code.ts';
import { networkOf } from '../network/network-of.ts';
import type { AuditActor } from './audit-entry.ts';
import type { AuditRecord } from './audit-log.ts';
import { flushAfterMs, type GroupRecording, retryAfterMs } from './group-recording.ts';

export interface Refusal {
  /** The key that was refused, or a stranger. */
  readonly actor: AuditActor;
  readonly address: string | null;
  readonly requestId: string | null;
  readonly code: ErrorCode;
  /** Template, as in usage rows. */
  readonly endpoint: string;
  readonly workspaceId?: string | null;
}

export interface RefusalRecorder {
  /** Takes a refusal, at once and without waiting for the store. */
  refuse(refusal: Refusal): void;
  /** Resolves when everything taken so far is stored, counts of the current minute included. */
  close(): Promise<void>;
}

const maxQueued = 2_000;
const maxStrangers = 1_000;
const minuteMs = 60_000;

interface Stranger {
  /** Refusals after the first one in this minute. */
  further: number;
  lastCode: ErrorCode;
}

/**
 * Records refusals in groups, so that a flood of them costs a transaction for a group and not for
 * each. Of a stranger's address (an IPv6 /64) the first in a minute is recorded at once and the
 * others as a count when the minute is over. What the bounded queue cannot hold is counted too.
 */
export function createRefusalRecorder({
  auditLog,
  clock,
  timers,
  onError,
}: GroupRecording): RefusalRecorder {
  let queue: AuditRecord[] = [];
  let uncounted = 0;
  let strangers = new Map<string, Stranger>();
  let minuteStartMs = 0;
  let flushing: Promise<void> | null = null;
  let cancelFlush: (() => void) | null = null;
  let cancelMinute: (() => void) | null = null;
  let closed = false;

  const enqueue = (record: AuditRecord): void => {
    if (queue.length < maxQueued) queue.push(record);
    else uncounted += 1;
    scheduleFlush(flushAfterMs);
  };

  const scheduleFlush = (delayMs: number): void => {
    if (closed || flushing !== null || cancelFlush !== null) return;
    cancelFlush = timers.after(delayMs, () => {
      cancelFlush = null;
      flush().catch(onError);
    });
  };

  const endMinute = (): void => {
    cancelMinute?.();
    cancelMinute = null;
    for (const [address, { further, lastCode }] of strangers) {
      if (further > 0) enqueue(summary(address, further, lastCode, minuteStartMs));
    }
    strangers = new Map();
  };

  const write = async (): Promise<void> => {
    const records = queue;
    const lost = uncounted;
    queue = [];
    uncounted = 0;
    const overflow = lost === 0 ? [] : [uncountedRecord(lost)];
    try {
      await auditLog.recordAll([...records, ...overflow]);
    } catch (error) {
      const kept = [...records, ...queue];
      queue = kept.slice(0, maxQueued);
      uncounted += lost + kept.length - queue.length;
      throw error;
    }
  };

  const flush = async (): Promise<void> => {
    if (flushing !== null) return await flushing;
    if (queue.length === 0 && uncounted === 0) return;
    let delayMs = flushAfterMs;
    flushing = write();
    try {
      await flushing;
    } catch (error) {
      delayMs = retryAfterMs;
      throw error;
    } finally {
      flushing = null;
      if (queue.length > 0 || uncounted > 0) scheduleFlush(delayMs);
    }
  };

  const refuseStranger = (refusal: Refusal): void => {
    const nowMs = clock.nowMs();
    const startMs = nowMs - (nowMs % minuteMs);
    if (startMs !== minuteStartMs) {
      endMinute();
      minuteStartMs = startMs;
    }
    cancelMinute ??= timers.after(startMs + minuteMs - nowMs, endMinute);
    const address = networkOf(refusal.address ?? '', { ipv4: 32, ipv6: 64 });
    const known = strangers.get(address);
    if (known !== undefined) {
      known.further += 1;
      known.lastCode = refusal.code;
    } else if (strangers.size >= maxStrangers) {
      uncounted += 1;
      scheduleFlush(flushAfterMs);
    } else {
      strangers.set(address, { further: 0, lastCode: refusal.code });
      enqueue(single(refusal, nowMs));
    }
  };

  return {
    refuse(refusal) {
      if (refusal.actor.kind === 'stranger') refuseStranger(refusal);
      else enqueue(single(refusal, clock.nowMs()));
    },
    async close() {
      endMinute();
      closed = true;
      cancelFlush?.();
      cancelFlush = null;
      await flush();
      await flush();
    },
  };
}

const refused = { action: 'access.refused', outcome: 'refused' } as const;

function single(refusal: Refusal, atMs: number): AuditRecord {
  const { actor, address, requestId, code, endpoint, workspaceId = null } = refusal;
  return {
    ...refused,
    atMs,
    actor,
    address,
    requestId,
    workspaceId,
    target: endpoint,
    details: { code },
  };
}

const summary = (
  address: string,
  further: number,
  code: ErrorCode,
  fromMs: number,
): AuditRecord => ({
  ...refused,
  actor: { kind: 'stranger' },
  address: address.replace(/\/32$/, ''),
  details: { code, further, fromMs },
});

/** Refusals of which nothing is known but that they were: one row for all of them. */
const uncountedRecord = (count: number): AuditRecord => ({
  ...refused,
  actor: { kind: 'stranger' },
  details: { unrecorded: count },
});
