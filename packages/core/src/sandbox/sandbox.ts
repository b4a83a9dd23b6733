import type { SandboxDefinition } from './sandbox-definition.ts';

export const sandboxStates = [
  'starting',
  'ready',
  'pausing',
  'paused',
  'stopping',
  'stopped',
  'destroyed',
  'failed',
] as const;

export type SandboxState = (typeof sandboxStates)[number];

/** Which state may follow which. Anything else is a programming error. */
export const sandboxTransitions: Readonly<Record<SandboxState, readonly SandboxState[]>> = {
  starting: ['ready', 'failed', 'stopped'],
  ready: ['pausing', 'stopping', 'stopped', 'failed'],
  pausing: ['paused', 'failed', 'stopped'],
  paused: ['ready', 'stopping', 'stopped', 'failed'],
  stopping: ['stopped', 'failed'],
  stopped: ['starting', 'destroyed'],
  failed: ['starting', 'destroyed'],
  destroyed: [],
};

export function mayTransition(from: SandboxState, to: SandboxState): boolean {
  return sandboxTransitions[from].includes(to);
}

interface SandboxIdentity {
  /** 24 hex digits, time-ordered. */
  readonly id: string;
  readonly workspaceId: string;
  /** Unique in its workspace among sandboxes that are not destroyed. */
  readonly name: string;
  readonly definition: SandboxDefinition;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** A stored sandbox: a union on its state. */
export type Sandbox = SandboxIdentity &
  (
    | { readonly state: 'starting' | 'ready' | 'pausing' | 'paused' | 'stopping' | 'stopped' }
    | { readonly state: 'destroyed'; readonly destroyedAtMs: number }
    | { readonly state: 'failed'; readonly failure: string }
  );
