import { SandgateError } from '@sandgate/core';

/** HTTP status of a refusal by the daemon; null for any other failure. */
export function dockerStatus(error: unknown): number | null {
  const status = (error as { readonly statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' ? status : null;
}

const unreachable = new Set(['ECONNREFUSED', 'ENOENT', 'EACCES', 'ECONNRESET', 'EPIPE']);

/** What went wrong between the server and the daemon, worded for callers. The daemon's own words are detail. */
export function explainDocker(error: unknown): SandgateError {
  if (error instanceof SandgateError) return error;
  const { code, message } = (error ?? {}) as { readonly code?: string; readonly message?: string };
  if (code !== undefined && unreachable.has(code)) {
    return new SandgateError(
      'engine_unavailable',
      'The Docker daemon does not answer; `msb doctor` says what this machine can do.',
      { detail: message ?? code, cause: error },
    );
  }
  return new SandgateError('engine_failed', 'Docker could not do what was asked of the sandbox.', {
    detail: message ?? String(error),
    cause: error,
  });
}
