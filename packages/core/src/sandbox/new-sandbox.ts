import type { VolumeMount } from '../port/engine.ts';
import type { EgressPolicy } from '../port/engine-egress.ts';
import type { RequestedSandbox } from './build-definition.ts';
import type { RegistryImage } from './sandbox-definition.ts';
import type { SnapshotSchedule } from './snapshot.ts';

/** How long a sandbox may live. Absent fields take the operator's defaults. */
export interface RequestedLifetime {
  /** Of any length, from now. Null: no end. */
  readonly expiresInMs?: number | null;
  readonly idleTimeoutMs?: number | null;
  readonly maxLifetimeMs?: number | null;
  readonly pausedTimeoutMs?: number | null;
  readonly oneShot?: boolean;
}

/** What `create` is asked for. Every field has a default. */
export interface NewSandbox extends Omit<RequestedSandbox, 'image' | 'registryImage'> {
  /** Default: a random one of an adjective and an animal. */
  readonly name?: string;
  /** Name of a template, or of an image of the engine. Left out with `fromSnapshot`, which has its own. */
  readonly template?: string;
  /** Instead of a template: an image that the workspace has set up, never one that a request names. */
  readonly registryImage?: RegistryImage;
  readonly labels?: Readonly<Record<string, string>>;
  readonly egress?: EgressPolicy;
  readonly volumes?: readonly (Omit<VolumeMount, 'readOnly'> & { readonly readOnly?: boolean })[];
  /** Id of a snapshot of this workspace that is ready. */
  readonly fromSnapshot?: string;
  readonly lifetime?: RequestedLifetime;
  readonly snapshotSchedule?: SnapshotSchedule | null;
}

/** What `update` changes. What is absent stays as it is. */
export interface SandboxChanges {
  readonly name?: string;
  /** All of them: labels that are not named are gone. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly lifetime?: RequestedLifetime;
  readonly snapshotSchedule?: SnapshotSchedule | null;
}
