import type { Clock } from '../port/clock.ts';
import type { Engine, EngineReport, EngineSandbox } from '../port/engine.ts';
import type { Randomness } from '../port/randomness.ts';
import type { SandboxLogStore } from '../port/sandbox-log-store.ts';
import type { Storage } from '../port/storage.ts';
import type { TextSealer } from '../port/text-sealer.ts';
import type { Timers } from '../port/timers.ts';
import type { EventStream } from './event-stream.ts';
import type { KeyedQueue } from './keyed-queue.ts';
import type { Sandbox } from './sandbox.ts';
import type { SandboxActivity } from './sandbox-activity.ts';
import type { SandboxCaller } from './sandbox-caller.ts';
import type { DestroyReason } from './sandbox-lifetime.ts';
import type { SandboxPolicy } from './sandbox-policy.ts';
import type { SandboxRecords } from './sandbox-records.ts';
import type { Settler } from './settle-later.ts';

/** What sandboxes need of the outside. */
export interface SandboxesDependencies {
  readonly storage: Storage;
  readonly engine: Engine;
  /** For the passwords of registries. */
  readonly sealer: Pick<TextSealer, 'open'>;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly timers: Timers;
  readonly policy: SandboxPolicy;
  /** What sandboxes' main commands write. */
  readonly logs: SandboxLogStore;
  /** Number of the key that asks, at the time of the call. Null: the operator, or the server itself. */
  readonly callerKey: () => number | null;
  /**
   * The next time that a five-field cron expression names, in UTC, after a time. Null: there is none.
   * @throws SandgateError `invalid_request` for an expression that cannot be read
   */
  readonly nextCronMs: (expression: string, afterMs: number) => number | null;
  /** Told of each sandbox that the server destroyed of its own accord, and why. */
  readonly onEnded: (sandbox: Sandbox, reason: DestroyReason) => Promise<void>;
  /** Told of failures that no caller waits for. */
  readonly onBackgroundError: (
    error: unknown,
    about: { readonly id: string; readonly workspaceId: string },
  ) => void;
}

/** What the parts of the sandbox domain share. */
export interface SandboxParts extends SandboxesDependencies {
  /** What runs, by the id of the sandbox. */
  readonly live: Map<string, EngineSandbox>;
  /** One after another, for each id of a sandbox, snapshot or volume. */
  readonly inTurn: KeyedQueue;
  readonly events: EventStream;
  readonly activity: SandboxActivity;
  readonly records: SandboxRecords;
  readonly settler: Settler;
  /** The key that asks, with those whose limits count. Null as `callerKey`. */
  readonly caller: () => Promise<SandboxCaller | null>;
  /** What the engine can do; the engine looks once. */
  readonly report: () => Promise<EngineReport>;
}
