import { type Sandbox, type SandboxState, SandgateError } from '@sandgate/core';

export type BrimbleStatus =
  | 'starting'
  | 'ready'
  | 'pausing'
  | 'paused'
  | 'resuming'
  | 'destroyed'
  | 'failed';

/**
 * How a state is called here. Brimble knows no stopped sandboxes: one that keeps its files and can be
 * resumed is a paused one to its clients.
 */
export const statusOf: Readonly<Record<SandboxState, BrimbleStatus>> = {
  starting: 'starting',
  ready: 'ready',
  pausing: 'pausing',
  paused: 'paused',
  resuming: 'resuming',
  stopping: 'pausing',
  stopped: 'paused',
  destroyed: 'destroyed',
  failed: 'failed',
};

/** @throws SandgateError `invalid_request`, in the documented words */
export function requireStatus(
  { state }: Pick<Sandbox, 'state'>,
  allowed: readonly BrimbleStatus[],
  purpose: string,
): void {
  const status = statusOf[state];
  if (allowed.includes(status)) return;
  throw new SandgateError(
    'invalid_request',
    `Sandbox is ${status}; only ${allowed[0]} sandboxes can ${purpose}`,
  );
}
