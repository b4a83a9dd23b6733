import { SandgateError } from '@sandgate/core';
import { OutboundRefused } from '../outbound/outbound-target.ts';

export const failed = (why: string, cause?: unknown): SandgateError =>
  new SandgateError('upstream_failed', `The MCP server cannot be used: ${why}`, { cause });

export const timedOut = (afterMs: number): SandgateError =>
  new SandgateError(
    'upstream_timed_out',
    `The MCP server did not answer within ${afterMs / 1_000} seconds`,
  );

/** What may be told to whoever may call: nothing of where the upstream is. */
export function toFailure(error: unknown, signal?: AbortSignal): unknown {
  if (error instanceof SandgateError) return error;
  if (signal?.aborted === true) return signal.reason;
  if (error instanceof OutboundRefused) {
    return new SandgateError(
      'upstream_failed',
      'The MCP server cannot be used: its address is refused',
      {
        detail: error.message,
        cause: error,
      },
    );
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code.startsWith('HPE_')) return failed('it does not speak HTTP', error);
  const why: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'nothing listens there',
    ECONNRESET: 'it closed the connection',
    ENOTFOUND: 'its host cannot be found',
  };
  return failed(why[code] ?? 'there is no connection', error);
}
