import type { SandboxDefinition } from './sandbox-definition.ts';

/** Snapshots that are made by themselves. */
export interface SnapshotSchedule {
  /** Five fields, in UTC: minute, hour, day of the month, month, day of the week. */
  readonly cron: string;
  /** How many automatic ones are kept; older ones are deleted when a new one is ready. */
  readonly keep: number;
}

/** What is stored of a snapshot in every state. */
export interface SnapshotFacts {
  /** 24 hex digits, time-ordered. */
  readonly id: string;
  readonly workspaceId: string;
  /** The sandbox whose files it holds. It may be destroyed by now. */
  readonly sandboxId: string;
  /** `^[a-z0-9-]{1,40}$`, unique among the snapshots of one sandbox that have not failed. */
  readonly name: string;
  /** Of its sandbox: what a sandbox that starts from it is made of. */
  readonly template: string;
  readonly definition: SandboxDefinition;
  /** Made by a schedule, and subject to its retention. */
  readonly automatic: boolean;
  readonly createdAtMs: number;
  /** From when it is deleted. Null: never. */
  readonly expiresAtMs: number | null;
}

/** A stored snapshot: a union on its state. */
export type Snapshot = SnapshotFacts &
  (
    | { readonly state: 'creating' }
    | { readonly state: 'ready'; readonly sizeBytes: number }
    | { readonly state: 'failed'; readonly failureReason: string }
  );

export type SnapshotState = Snapshot['state'];

/** What names of snapshots and volumes look like. */
export const artifactName = /^[a-z0-9-]{1,40}$/;

export interface SnapshotRequest {
  /** Default: one out of the time. */
  readonly name?: string;
  readonly expiresAtMs?: number | null;
}

export interface SnapshotFilter {
  readonly sandboxId?: string;
  readonly state?: SnapshotState;
  readonly automatic?: boolean;
  readonly namePrefix?: string;
}
