import type { VolumeMount } from '../port/engine.ts';
import type { EgressPolicy } from '../port/engine-egress.ts';
import type { SandboxDefinition } from './sandbox-definition.ts';
import type { DestroyReason, SandboxLifetime } from './sandbox-lifetime.ts';
import type { SnapshotSchedule } from './snapshot.ts';

export const sandboxStates = [
  'starting',
  'ready',
  'pausing',
  'paused',
  'resuming',
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
  pausing: ['paused', 'ready', 'stopping', 'stopped', 'failed'],
  paused: ['resuming', 'stopping', 'stopped', 'failed'],
  resuming: ['ready', 'paused', 'stopping', 'stopped', 'failed'],
  stopping: ['stopped', 'failed'],
  stopped: ['starting', 'destroyed'],
  failed: ['starting', 'destroyed'],
  destroyed: [],
};

export function mayTransition(from: SandboxState, to: SandboxState): boolean {
  return sandboxTransitions[from].includes(to);
}

/** States in which a sandbox has, or is about to have, a process. */
export const livingStates = [
  'starting',
  'ready',
  'pausing',
  'paused',
  'resuming',
  'stopping',
] as const satisfies readonly SandboxState[];

/** What is stored of a sandbox in every state. */
export interface SandboxFacts {
  /** 24 hex digits, time-ordered. */
  readonly id: string;
  readonly workspaceId: string;
  /** Unique in its workspace among sandboxes that are not destroyed. */
  readonly name: string;
  readonly definition: SandboxDefinition;
  /** What it was made of, as it was asked for: the name of a template, or of an image. */
  readonly template: string;
  /** Its owner's own marks, to filter lists by. */
  readonly labels: Readonly<Record<string, string>>;
  readonly egress: EgressPolicy;
  /** Volumes that are attached to it whenever it runs. */
  readonly volumes: readonly VolumeMount[];
  /** Id of the snapshot whose files it started with. It may be deleted by now. */
  readonly fromSnapshot: string | null;
  readonly lifetime: SandboxLifetime;
  /** Null: snapshots are made only when they are asked for. */
  readonly snapshotSchedule: SnapshotSchedule | null;
  /** Number of the key that asked for it. Null: the operator, or no key. */
  readonly createdByKey: number | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** When something was last asked of it. Stored now and then, and exact while the server runs. */
  readonly lastActivityAtMs: number;
  /** Since when it is paused. Null in any other state. */
  readonly pausedAtMs: number | null;
}

/** A stored sandbox: a union on its state. */
export type Sandbox = SandboxFacts &
  (
    | { readonly state: Exclude<SandboxState, 'destroyed' | 'failed'> }
    | {
        readonly state: 'destroyed';
        readonly destroyedAtMs: number;
        readonly destroyReason: DestroyReason;
        /** Why it never became ready. Null where it did. */
        readonly failure: string | null;
      }
    | { readonly state: 'failed'; readonly failure: string }
  );
