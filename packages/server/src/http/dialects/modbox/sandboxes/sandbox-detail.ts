import { personNumber, type Sandbox, type SandboxState } from '@sandgate/core';
import type { ModboxContext } from '../modbox-route.ts';
import { sandboxUrlOf } from '../sandbox-url/sandbox-url.ts';
import { uuidOf } from './resource-uuid.ts';
import { taskIdOf } from './task-name.ts';

/** The first three are documented; the others say what they say at every door of this server. */
export const sandboxStatuses = [
  'provisioning',
  'running',
  'destroyed',
  'paused',
  'stopped',
  'failed',
] as const;
export type SandboxStatus = (typeof sandboxStatuses)[number];

export const statusOf: Readonly<Record<SandboxState, SandboxStatus>> = {
  starting: 'provisioning',
  ready: 'running',
  pausing: 'paused',
  paused: 'paused',
  resuming: 'running',
  stopping: 'stopped',
  stopped: 'stopped',
  failed: 'failed',
  destroyed: 'destroyed',
};

export const statesOf = (status: SandboxStatus): readonly SandboxState[] =>
  (Object.keys(statusOf) as SandboxState[]).filter((state) => statusOf[state] === status);

const time = (timeMs: number): string => new Date(timeMs).toISOString();
const timeOrNull = (timeMs: number | null): string | null =>
  timeMs === null ? null : time(timeMs);

/** A sandbox as this wire shows it; what follows `destroyed_at` is Sandgate's own. */
export function sandboxDetail(
  sandbox: Sandbox,
  { sandboxUrls, url }: Pick<ModboxContext, 'sandboxUrls' | 'url'>,
) {
  const destroyed = sandbox.state === 'destroyed' ? sandbox : null;
  return {
    id: uuidOf(sandbox.id),
    name: taskIdOf(sandbox),
    status: statusOf[sandbox.state],
    sandbox_url: destroyed === null ? sandboxUrlOf(sandboxUrls, sandbox.id, url) : null,
    image: sandbox.template,
    created_by: creatorOf(sandbox.createdByKey),
    created_at: time(sandbox.createdAtMs),
    updated_at: time(sandbox.updatedAtMs),
    destroyed_at: timeOrNull(destroyed?.destroyedAtMs ?? null),
    expires_at: timeOrNull(endOf(sandbox)),
    destroy_reason: destroyed?.destroyReason ?? null,
    error: failureOf(sandbox),
  };
}

export const failureOf = (sandbox: Sandbox): string | null =>
  'failure' in sandbox ? sandbox.failure : null;

/** When it ends by itself at the latest, whatever is asked of it. */
export function endOf({ lifetime, createdAtMs }: Sandbox): number | null {
  const { expiresAtMs, maxLifetimeMs } = lifetime;
  const end = Math.min(
    expiresAtMs ?? Infinity,
    maxLifetimeMs === null ? Infinity : createdAtMs + maxLifetimeMs,
  );
  return end === Infinity ? null : end;
}

function creatorOf(keyNumber: number | null): string {
  if (keyNumber === null) return 'operator';
  const user = personNumber(keyNumber);
  return user === null ? `key:${keyNumber}` : `user:${user}`;
}
