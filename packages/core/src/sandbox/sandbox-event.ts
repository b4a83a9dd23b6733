import type { SandboxState } from './sandbox.ts';
import type { DestroyReason } from './sandbox-lifetime.ts';
import type { SnapshotState } from './snapshot.ts';
import type { Volume } from './volume.ts';

/** What happened, without when and where. */
export type SandboxHappening =
  | {
      readonly kind: 'sandbox.state';
      readonly sandboxId: string;
      readonly name: string;
      readonly state: SandboxState;
      /** Null for a new one. */
      readonly previous: SandboxState | null;
      /** Why it is destroyed. Null in every other state. */
      readonly reason: DestroyReason | null;
      /** What went wrong. Null in every state but `failed`. */
      readonly failure: string | null;
    }
  | {
      /** Something of it was changed that is not its state. */
      readonly kind: 'sandbox.changed';
      readonly sandboxId: string;
      readonly name: string;
      readonly changed: readonly ('name' | 'labels' | 'lifetime' | 'egress' | 'snapshotSchedule')[];
    }
  | {
      readonly kind: 'egress.denied';
      readonly sandboxId: string;
      readonly host: string;
      readonly port: number;
      readonly reason: string;
    }
  | {
      readonly kind: 'process.ended';
      readonly sandboxId: string;
      readonly processId: string;
      /** Null when it was lost with its sandbox. */
      readonly exitCode: number | null;
    }
  | {
      readonly kind: 'snapshot.state';
      readonly snapshotId: string;
      readonly sandboxId: string;
      readonly name: string;
      readonly state: SnapshotState | 'deleted';
    }
  | {
      readonly kind: 'volume.state';
      readonly volumeId: string;
      readonly name: string;
      readonly state: Volume['state'] | 'deleted';
      readonly attachedSandboxId: string | null;
    };

/** One entry of the event stream. */
export type SandboxEvent = {
  /** Grows with every event of this server, also over restarts. */
  readonly id: number;
  readonly atMs: number;
  readonly workspaceId: string;
} & (
  | SandboxHappening
  /** First of a subscription that asked for events that are not kept any more: read the state anew. */
  | { readonly kind: 'events.missed' }
);

/** What is kept of the events of a workspace. */
export interface PastEvents {
  /** Oldest first. */
  readonly events: readonly SandboxEvent[];
  /** Where whoever has read them goes on from. */
  readonly lastId: number;
}
