import type { ErrorCode } from '../error/error-code.ts';

/** One request that came with a known key. Times are epoch milliseconds. */
export interface UsageRow {
  /** Grows with each row. */
  readonly id: number;
  /** Of the key, or `-number` of the person who came with an access token. */
  readonly keyNumber: number;
  /** Null: the call was about all workspaces, or was refused before its workspace was known. */
  readonly workspaceId: string | null;
  readonly requestId: string;
  readonly method: string;
  /** Template, and never the path itself: `/api/v1/api-keys/{id}`, `/api/v1/rpc#sandbox.start`. */
  readonly endpoint: string;
  /** HTTP status; 0 while the request is carried out, and for one that a crash cut off. */
  readonly status: number;
  /** Accepted requests count against limits; refused ones are free. */
  readonly accepted: boolean;
  readonly errorCode: ErrorCode | null;
  readonly durationMs: number;
  readonly atMs: number;
  readonly sandboxId: string | null;
}

export type NewUsageRow = Omit<UsageRow, 'id'>;

/** What becomes known when a request that was stored at its beginning has ended. */
export interface UsageEnd {
  readonly id: number;
  readonly status: number;
  readonly errorCode: ErrorCode | null;
  readonly durationMs: number;
  readonly sandboxId: string | null;
}

export interface UsageFilter {
  /** Absent: all workspaces. */
  readonly workspaceId?: string;
  readonly keyNumber?: number;
  readonly endpoint?: string;
  /** One status, as 404, or a class of them, as `4xx`. */
  readonly status?: number | '1xx' | '2xx' | '3xx' | '4xx' | '5xx';
  readonly fromMs?: number;
  /** Exclusive. */
  readonly toMs?: number;
}

/** Calls of one endpoint, or of one key, in one hour or day. */
export interface UsageSummary {
  readonly calls: number;
  /** Answered with a status below 400. */
  readonly successes: number;
  /** Sum over all calls. */
  readonly durationMs: number;
}

export interface UsageBucket extends UsageSummary {
  /** Beginning of the hour or day, UTC. */
  readonly startMs: number;
  readonly endpoint: string;
  readonly method: string;
  /** Absent in summaries over all keys. */
  readonly keyNumber?: number;
}
