import type { Logger } from 'pino';

interface AnsweredRequest {
  readonly requestId: string;
  readonly method: string;
  readonly status: number;
  /** By `performance.now()`. */
  readonly startedMs: number;
}

/** The usage rows are the record of every call: a line of log for each is for looking closely. */
export function logRequest(log: Logger, { startedMs, ...request }: AnsweredRequest): void {
  if (!log.isLevelEnabled('debug')) return;
  const durationMs = Math.round((performance.now() - startedMs) * 10) / 10;
  log.debug({ ...request, durationMs }, 'request');
}
