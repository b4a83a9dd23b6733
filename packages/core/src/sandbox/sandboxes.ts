import type { Duplex } from 'node:stream';
import type {
  ExecOutcome,
  ExecRequest,
  KernelLanguage,
  KernelOutcome,
  KernelRunRequest,
  ProcessSignal,
  SandboxMetrics,
} from '../port/engine.ts';
import type { EgressDenial, EgressPolicy } from '../port/engine-egress.ts';
import type { SandboxFiles } from '../port/engine-files.ts';
import type { Terminal, TerminalRequest } from '../port/engine-terminal.ts';
import type { ImagePull, PulledImage } from '../port/image-puller.ts';
import type { Page, PageRequest } from '../port/page.ts';
import type { LogPart } from '../port/sandbox-log-store.ts';
import type { SandboxFilter } from '../port/sandbox-store.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type {
  BackgroundProcess,
  ProcessOutput,
  ProcessOutputRequest,
  ProcessRequest,
} from './background-process.ts';
import type { RequestedSandbox } from './build-definition.ts';
import type { NewSandbox, SandboxChanges } from './new-sandbox.ts';
import type { Sandbox, SandboxState } from './sandbox.ts';
import type { RegistryImage } from './sandbox-definition.ts';
import type { PastEvents, SandboxEvent } from './sandbox-event.ts';
import type { DestroyReason } from './sandbox-lifetime.ts';
import type { SandboxLimits, SandboxUse } from './sandbox-limits.ts';
import type { StatsReading } from './sandbox-stats.ts';
import type { Snapshot, SnapshotFilter, SnapshotRequest } from './snapshot.ts';
import type { StartDefaults, Template } from './template.ts';
import type { Volume, VolumeFilter, VolumeRequest } from './volume.ts';

export interface SandboxReading {
  readonly sandbox: Sandbox;
  readonly workspace: Workspace;
  readonly running: boolean;
  /** Null when the sandbox does not run, or does not answer in time. */
  readonly metrics: SandboxMetrics | null;
}

export interface WaitRequest {
  /** Resolves when the sandbox is in one of them, or destroyed. */
  readonly states: readonly SandboxState[];
  readonly timeoutMs: number;
  /** Aborting resolves at once, as the end of the time does. */
  readonly signal?: AbortSignal;
}

/**
 * The sandboxes of this server: what is stored of them, and which of them run. Every method works
 * in the workspace that it is given, and finds nothing outside of it. A `reference` is the id of a
 * sandbox, or its name; an id is looked for first.
 *
 * Whatever is asked of one that is not there throws `sandbox_not_found`; what needs a running one
 * throws `sandbox_not_running`, `sandbox_paused` or `sandbox_ended`; and what the engine cannot do
 * throws `capability_missing`. Names, labels, paths and numbers that cannot be used throw
 * `invalid_request`. Bounds of the plan throw `plan_refused` and those of the key or the server's
 * store `quota_exceeded`, both with `data: { resource, allowed }`.
 */
export interface Sandboxes {
  // Life

  /**
   * Makes a new sandbox and starts it. Resolves when it is ready; when it cannot be started nothing of
   * it is kept but a destroyed record. Launches take turns: each workspace in order, the workspaces
   * one after another.
   * @throws SandgateError `sandbox_exists`, `image_unknown`, `volume_refused`, `volume_not_found`,
   * `volume_attached`, `snapshot_not_found`, `snapshot_not_ready`, `egress_invalid`, `plan_refused`,
   * `quota_exceeded`, `capacity_exceeded` (with `data.retryAfterMs` when its turn did not come in
   * time), `request_abandoned`, and what the engine throws
   */
  create(
    workspace: Workspace,
    requested: NewSandbox,
    options?: {
      readonly signal?: AbortSignal;
      /** Called when it is stored, which is long before it is ready. */
      readonly onStored?: (sandbox: Sandbox) => void;
    },
  ): Promise<Sandbox>;
  /**
   * Starts a sandbox, makes it when there is none of that name, and first starts those that it depends
   * on. Without a request the stored definition or the defaults are used. A running sandbox stays as
   * it is.
   * @throws SandgateError `sandbox_busy` when it runs with another definition, `quota_exceeded` when
   * no more may be stored, `request_abandoned` when the signal is aborted before the last of them
   * is being started, and what `create` and the engine throw
   */
  start(
    workspace: Workspace,
    reference: string,
    requested: RequestedSandbox | null,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Sandbox>;
  /**
   * Stops a sandbox and keeps its files; its volumes are free. A stopped one is left alone. A one-shot
   * sandbox is destroyed.
   * @throws SandgateError `quota_exceeded` when the files of this run have no room: it has stopped,
   * and those of the run before are kept
   */
  stop(workspace: Workspace, reference: string): Promise<Sandbox>;
  /**
   * Ends a sandbox for ever, with its files. Its name and its volumes are free again. By its id, a
   * destroyed one is answered as it is.
   */
  destroy(
    workspace: Workspace,
    reference: string,
    options?: { readonly reason?: Extract<DestroyReason, 'user' | 'parent'> },
  ): Promise<Sandbox>;
  /**
   * Takes the CPU from a ready sandbox and keeps its memory. Resolves when it is paused. A paused one is
   * left alone.
   */
  pause(workspace: Workspace, reference: string): Promise<Sandbox>;
  /** Goes on with a paused sandbox. A ready one is left alone; one that is being paused is waited for. */
  resume(workspace: Workspace, reference: string): Promise<Sandbox>;
  /**
   * Switches where a sandbox may connect to, at once if it runs, and stores it for later starts.
   * `networkUpdated`: it ran, and the new policy holds.
   * @throws SandgateError `egress_invalid`, naming every entry that is wrong
   */
  setEgress(
    workspace: Workspace,
    reference: string,
    policy: EgressPolicy,
  ): Promise<{ readonly sandbox: Sandbox; readonly networkUpdated: boolean }>;
  /**
   * Renames, labels, extends or shortens the life, or changes the schedule of snapshots.
   * @throws SandgateError `sandbox_exists` when the new name is taken
   */
  update(workspace: Workspace, reference: string, changes: SandboxChanges): Promise<Sandbox>;

  // Looking

  /** `includeDestroyed`: also a destroyed one, by its id, for as long as its record is kept. */
  find(
    workspace: Workspace,
    reference: string,
    options?: { readonly includeDestroyed?: boolean },
  ): Promise<Sandbox>;
  /** Newest first. */
  list(workspace: Workspace, filter: SandboxFilter, page: PageRequest): Promise<Page<Sandbox>>;
  /**
   * Waits for a state. Resolves with the sandbox as it is then, also when the time is over or when it was
   * destroyed: look at its state.
   */
  wait(workspace: Workspace, reference: string, request: WaitRequest): Promise<Sandbox>;
  /** Metrics of one sandbox, or of all in the workspace, or (workspace null) of all on the server. */
  read(workspace: Workspace | null, reference?: string): Promise<readonly SandboxReading[]>;
  /** How its metrics went since a time, for as long as it has run since the server started. */
  stats(
    workspace: Workspace,
    reference: string,
    request: { readonly sinceMs: number },
  ): Promise<StatsReading>;
  /** What its egress policies refused since the server started, oldest first: the newest 100. */
  egressDenials(workspace: Workspace, reference: string): Promise<readonly EgressDenial[]>;
  /** What its main command wrote. A negative `fromByte` counts from the end. */
  readLog(
    workspace: Workspace,
    reference: string,
    request: { readonly fromByte: number; readonly maxBytes: number },
  ): Promise<LogPart>;
  /** The same as it is written, from a byte on, until the signal is aborted or the sandbox stops. */
  followLog(
    workspace: Workspace,
    reference: string,
    request: { readonly fromByte: number; readonly signal: AbortSignal },
  ): AsyncIterable<LogPart>;
  /**
   * Brings an image of a workspace, so that the next start from it does not have to.
   * @throws SandgateError as `ImagePuller.pull` does, `capability_missing`, `image_unknown`
   */
  pullImage(
    workspace: Pick<Workspace, 'id'>,
    image: RegistryImage,
    options: Pick<ImagePull, 'signal' | 'onProgress'>,
  ): Promise<PulledImage>;
  /** What sandboxes can be made of here, the default first. */
  templates(): readonly Template[];
  startDefaults(): StartDefaults;
  /** What a workspace may have by its plan, and what it has. */
  usage(
    workspace: Workspace,
  ): Promise<{ readonly limits: SandboxLimits; readonly used: SandboxUse }>;
  /**
   * What happens to the sandboxes, snapshots and volumes of a workspace, or (null) of all, as it happens,
   * until the signal is aborted. With `afterId`, first what happened since that event; when that is not
   * kept any more, an `events.missed` comes first. A reader that is too slow gets one too.
   */
  events(
    workspace: Workspace | null,
    options: { readonly afterId?: number; readonly signal: AbortSignal },
  ): AsyncIterable<SandboxEvent>;

  /** The same as far as it has happened, without waiting: since an event, or all that is kept. */
  pastEvents(
    workspace: Workspace,
    options: { readonly afterId?: number | undefined },
  ): Promise<PastEvents>;

  // Work in a running sandbox. All of it counts as activity.

  exec(workspace: Workspace, reference: string, request: ExecRequest): Promise<ExecOutcome>;
  runCode(
    workspace: Workspace,
    reference: string,
    language: KernelLanguage,
    request: KernelRunRequest,
  ): Promise<KernelOutcome>;
  /** Its files. What it returns is to be used at once: it is of the sandbox as it runs now. */
  files(workspace: Workspace, reference: string): Promise<SandboxFiles>;
  openTerminal(
    workspace: Workspace,
    reference: string,
    request: TerminalRequest,
  ): Promise<Terminal>;
  /** A connection to a TCP port inside. While it is open the sandbox is not idle. */
  dial(workspace: Workspace, reference: string, port: number): Promise<Duplex>;

  // Background processes. `process_not_found` for one that is not there, or was forgotten.

  startProcess(
    workspace: Workspace,
    reference: string,
    request: ProcessRequest,
  ): Promise<BackgroundProcess>;
  /** Those that run, and those that ended a while ago; oldest first. */
  listProcesses(workspace: Workspace, reference: string): Promise<readonly BackgroundProcess[]>;
  findProcess(
    workspace: Workspace,
    reference: string,
    processId: string,
  ): Promise<BackgroundProcess>;
  /** What it wrote, from any byte that is kept, and what it writes. Any number may read at once. */
  processOutput(
    workspace: Workspace,
    reference: string,
    processId: string,
    request: ProcessOutputRequest,
  ): AsyncIterable<ProcessOutput>;
  /** Resolves when the process has taken it. @throws SandgateError `invalid_request` when it is closed */
  writeProcessInput(
    workspace: Workspace,
    reference: string,
    processId: string,
    data: Uint8Array,
    options?: { readonly end?: boolean },
  ): Promise<void>;
  /** To the process and its group. Nothing happens when it has ended. */
  signalProcess(
    workspace: Workspace,
    reference: string,
    processId: string,
    signal: ProcessSignal,
  ): Promise<BackgroundProcess>;
  /** Resolves when it has ended, or the time is over: look at `endedAtMs`. */
  waitForProcess(
    workspace: Workspace,
    reference: string,
    processId: string,
    request: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<BackgroundProcess>;
  /** Ends it with SIGKILL where it still runs, and forgets it with its output. */
  deleteProcess(
    workspace: Workspace,
    reference: string,
    processId: string,
  ): Promise<BackgroundProcess>;

  // Snapshots

  /** When the schedule of a sandbox makes the next one. Null: it has none. */
  nextSnapshotMs(workspace: Workspace, reference: string): Promise<number | null>;

  /**
   * Begins a snapshot of a running or paused sandbox, and resolves with its record, which is `creating`.
   * @throws SandgateError `sandbox_busy` while another snapshot of that sandbox is being made,
   * `snapshot_exists`
   */
  createSnapshot(
    workspace: Workspace,
    reference: string,
    request: SnapshotRequest,
  ): Promise<Snapshot>;
  /** @throws SandgateError `snapshot_not_found` */
  findSnapshot(workspace: Workspace, snapshotId: string): Promise<Snapshot>;
  /** Resolves when it is not `creating` any more, or the time is over. */
  waitForSnapshot(
    workspace: Workspace,
    snapshotId: string,
    request: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<Snapshot>;
  /** Newest first. */
  listSnapshots(
    workspace: Workspace,
    filter: SnapshotFilter,
    page: PageRequest,
  ): Promise<Page<Snapshot>>;
  /** For good, with its files. One that is being made is deleted as soon as it is there. */
  deleteSnapshot(workspace: Workspace, snapshotId: string): Promise<Snapshot>;

  // Volumes. A reference is an id or a name.

  /** @throws SandgateError `volume_exists`, `plan_refused`, `disk_full` */
  createVolume(workspace: Workspace, request: VolumeRequest): Promise<Volume>;
  /** @throws SandgateError `volume_not_found` */
  findVolume(workspace: Workspace, reference: string): Promise<Volume>;
  /** Newest first. */
  listVolumes(workspace: Workspace, filter: VolumeFilter, page: PageRequest): Promise<Page<Volume>>;
  /** For good, with what is on it. @throws SandgateError `volume_attached` */
  deleteVolume(workspace: Workspace, reference: string): Promise<Volume>;

  // The server's own

  /** How many run now. */
  runningCount(): number;
  /**
   * Makes the records agree with the machine after a crash, carries out what is overdue, and begins to
   * look after lifetimes, schedules and the warm pool. Called once, before anything else.
   */
  reconcile(): Promise<void>;
  /** Stops all of them, keeping their files, and everything that runs by itself. */
  close(): Promise<void>;
}
