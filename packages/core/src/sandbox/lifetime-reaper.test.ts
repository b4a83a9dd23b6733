import { expect, it } from 'vitest';
import { lifetimeEnd } from './lifetime-reaper.ts';
import type { Sandbox } from './sandbox.ts';
import { endlessLifetime, type SandboxLifetime } from './sandbox-lifetime.ts';

const sandboxWith = (lifetime: Partial<SandboxLifetime>, pausedAtMs: number | null = null) =>
  ({
    state: pausedAtMs === null ? 'ready' : 'paused',
    lifetime: { ...endlessLifetime, ...lifetime },
    createdAtMs: 100,
    lastActivityAtMs: 500,
    pausedAtMs,
  }) as Sandbox;

it.each([
  [{}, null, null],
  [{ expiresAtMs: 900 }, null, { atMs: 900, reason: 'expired' }],
  [{ maxLifetimeMs: 50 }, null, { atMs: 150, reason: 'max_lifetime' }],
  [{ idleTimeoutMs: 50 }, null, { atMs: 550, reason: 'idle' }],
  [{ idleTimeoutMs: 50 }, 520, null],
  [{ pausedTimeoutMs: 50 }, 520, { atMs: 570, reason: 'paused_too_long' }],
  [{ pausedTimeoutMs: 50 }, null, null],
  [{ expiresAtMs: 560, idleTimeoutMs: 50 }, null, { atMs: 550, reason: 'idle' }],
  [{ expiresAtMs: 540, idleTimeoutMs: 50 }, null, { atMs: 540, reason: 'expired' }],
] as const)('ends with %j, paused at %s, by %j', (lifetime, pausedAtMs, end) => {
  expect(lifetimeEnd(sandboxWith(lifetime, pausedAtMs))).toEqual(end);
});

it('ends no more when it is destroyed', () => {
  const destroyed = { ...sandboxWith({ expiresAtMs: 1 }), state: 'destroyed' } as Sandbox;
  expect(lifetimeEnd(destroyed)).toBeNull();
});
