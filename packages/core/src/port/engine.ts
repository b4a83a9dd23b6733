import type { Duplex } from 'node:stream';
import type { SandboxResources } from '../sandbox/sandbox-definition.ts';
import type { EgressDenial, EgressPolicy } from './engine-egress.ts';
import type { SandboxFiles } from './engine-files.ts';
import type { Terminal, TerminalRequest } from './engine-terminal.ts';
import type { ImagePuller } from './image-puller.ts';

/** Languages for which an engine can open a stateful kernel. */
export type KernelLanguage = 'python' | 'node';

/** What an engine can do beyond the minimum. A missing flag means no. */
export interface EngineCapabilities {
  /** A system-call filter is active in every sandbox. */
  readonly seccomp: boolean;
  /** How memory is bounded for a whole sandbox, and not just for one process. */
  readonly memoryLimit: 'cgroup' | 'process' | 'none';
  readonly cpuLimit: 'cgroup' | 'none';
  readonly processLimit: 'cgroup' | 'rlimit' | 'none';
  /** Files written in a sandbox are there again when it is started next. */
  readonly persistentLayer: boolean;
  /** `EngineSandbox.openTerminal` is there. */
  readonly terminals?: boolean;
  /** `EngineSandbox.pause` and `resume` are there. `freezer`: not even the sandbox's user can undo it. */
  readonly pause?: 'freezer' | 'signals' | 'none';
  /** `EngineSandbox.snapshot` and `Engine.snapshots` are there. */
  readonly snapshots?: boolean;
  /** `Engine.volumes` is there. `sizeLimit`: how their size is bounded. */
  readonly volumes?: 'disk' | 'memory' | 'none';
  /** Sandboxes can have a network, and which policy applies can be switched while they run. */
  readonly egress?: boolean;
  /** `EngineSandbox.dial` is there. */
  readonly dial?: boolean;
}

/** One thing that `msb doctor` looked at. */
export interface EngineFinding {
  readonly subject: string;
  readonly status: 'ok' | 'degraded' | 'missing';
  /** What was found, in one sentence. */
  readonly message: string;
  /** What the operator can type or change to improve it. */
  readonly remedy?: string;
}

export interface EngineReport {
  /** The engine's name and the way it starts sandboxes, as in `bubblewrap` or `util-linux`. */
  readonly engine: string;
  /** False: no sandbox can be started, and `findings` say why. */
  readonly usable: boolean;
  readonly capabilities: EngineCapabilities;
  /** Images that can be started, with the kernels that each offers. */
  readonly templates: readonly TemplateInfo[];
  readonly findings: readonly EngineFinding[];
}

export interface TemplateInfo {
  /** Canonical image name, as in `microsandbox/python`. */
  readonly name: string;
  readonly languages: readonly KernelLanguage[];
  /** What the template is made of, as in `Python 3.11.2 (/usr/bin/python3.11)`. */
  readonly description: string;
  /** Of several engines, which of them starts it. Default: the engine that reports it. */
  readonly engine?: string;
}

/** A host directory that the operator allows and the sandbox asked for. */
export interface HostMount {
  readonly hostPath: string;
  readonly guestPath: string;
  readonly readOnly: boolean;
}

/** A volume that is attached for as long as the sandbox runs. */
export interface VolumeMount {
  readonly volumeId: string;
  readonly guestPath: string;
  readonly readOnly: boolean;
}

export interface EngineSandboxSpec {
  /** 24 hex digits; names the sandbox's directories and cgroups on the host. */
  readonly id: string;
  /** Host name inside. */
  readonly hostname: string;
  /** A name out of `EngineReport.templates`; with `pulledImage`, what that is called for people. */
  readonly image: string;
  /**
   * A `PulledImage.image`, started instead of a template. It is no name that a client may send: that the
   * workspace may use the image is for the caller to see to.
   */
  readonly pulledImage?: string;
  readonly resources: SandboxResources;
  /** Environment of every process in the sandbox. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where processes start; created when it is not there. Absolute. */
  readonly workdir: string;
  readonly mounts: readonly HostMount[];
  /** Executable files that the engine writes to `/.sandbox/scripts/<name>` before it answers. */
  readonly scripts: Readonly<Record<string, string>>;
  /** Default: none. */
  readonly volumes?: readonly VolumeMount[];
  /** Default: `deny_all`, and then a sandbox need not have a network at all. */
  readonly egress?: EgressPolicy;
  /** A snapshot whose files the sandbox starts with, where it has no layer of its own yet. */
  readonly fromSnapshot?: string;
}

/** What an engine tells of a sandbox while it runs. */
export interface EngineObserver {
  readonly onEgressDenied?: (denial: EgressDenial) => void;
}

export type SandboxExitReason =
  /** `stop` or `destroy` was called. */
  | 'stopped'
  /** The sandbox ended by itself: its first process died, or it was killed for memory. */
  | 'ended';

export interface OutputChunk {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Buffer;
}

export const processSignals = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGKILL',
  'SIGUSR1',
  'SIGUSR2',
  'SIGTERM',
  'SIGCONT',
  'SIGSTOP',
  'SIGWINCH',
] as const;

export type ProcessSignal = (typeof processSignals)[number];

/** A program that was started, for as long as it runs. */
export interface RunningProcess {
  /** To the process and its group. Nothing happens when it has ended. */
  signal(signal: ProcessSignal): void;
}

export interface ExecRequest {
  /** Program and arguments, executed without a shell. At least one element. */
  readonly argv: readonly string[];
  /** Absolute; default is the sandbox's workdir. */
  readonly cwd?: string;
  /** Added to the sandbox's environment, for this process alone. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Bytes for standard input; without it, standard input is empty. */
  readonly stdin?: AsyncIterable<Uint8Array> | Uint8Array;
  /** The process and its group are killed after this time. Default: no limit. */
  readonly timeoutMs?: number;
  /** Aborting kills the process and its group. */
  readonly signal?: AbortSignal;
  /** Called once, when the program has been started and before its first output. */
  readonly onStarted?: (process: RunningProcess) => void;
  /** Called for each piece of output, in the order of its stream. A promise holds back reading. */
  readonly onOutput: (chunk: OutputChunk) => void | Promise<void>;
}

export type ExecOutcome =
  /** `exitCode` is 128 + n when signal n ended the process. */
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'timed_out' }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'sandbox_ended' };

/**
 * One value that code shows, in the forms that it has, by media type: text as it is, binary in base64.
 * `text/plain` is always there.
 */
export interface RichResult {
  /** `value`: of the last expression. `display`: shown by the code on its way, as a figure is. */
  readonly role: 'value' | 'display';
  readonly data: Readonly<Record<string, string>>;
}

/** An error as the interpreter tells it, outermost frame first. */
export interface KernelTraceback {
  readonly frames: readonly {
    readonly file: string;
    readonly line: number;
    readonly function: string;
    readonly source: string | null;
  }[];
}

export interface KernelRunRequest {
  readonly code: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly onOutput: (chunk: OutputChunk) => void | Promise<void>;
  /**
   * Called for each value as it is shown. With it, the last value and figures come here and are not
   * written to stdout; without it, the last value is echoed there.
   */
  readonly onResult?: (result: RichResult) => void | Promise<void>;
}

export type KernelOutcome =
  | { readonly kind: 'completed' }
  /** The code raised: the traceback was written to stderr. `errorName` as in `ValueError`. */
  | {
      readonly kind: 'raised';
      readonly errorName: string;
      readonly errorMessage: string;
      readonly traceback?: KernelTraceback;
    }
  /** Interrupted at its timeout; variables are kept unless `stateLost`. */
  | { readonly kind: 'timed_out'; readonly stateLost: boolean }
  /** The code ended its interpreter, as `exit()` does; a new one is started for the next run. */
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'aborted'; readonly stateLost: boolean }
  | { readonly kind: 'sandbox_ended' };

export interface Kernel {
  readonly language: KernelLanguage;
  /**
   * Compiles and executes `code` as a whole and echoes the value of a last expression. Runs of one
   * kernel happen one after another, in the order of the calls. Every `onOutput` call for a run
   * happens before its promise resolves, and none after.
   */
  run(request: KernelRunRequest): Promise<KernelOutcome>;
}

export interface SandboxMetrics {
  /** Percent of one CPU since the last reading. */
  readonly cpuPercent: number;
  readonly memoryBytes: number;
  /** Bytes in the writable layer. */
  readonly diskBytes: number;
  readonly processes: number;
  /** Since the start. Null or absent: the sandbox has no network, or the engine cannot tell. */
  readonly network?: { readonly receivedBytes: number; readonly sentBytes: number } | null;
}

export interface StopOptions {
  /** False: what was written in this run is forgotten. Default: true. */
  readonly keepLayer?: boolean;
  /**
   * Called before each piece of the layer is stored, with its length. What it throws ends the
   * storing: the sandbox ends all the same, the layer of the run before is kept, and `stop` throws it.
   */
  readonly onLayerBytes?: (bytes: number) => void;
  /** Called when some of the files are not kept, with a sentence for their owner that says which. */
  readonly onLeftOut?: (sentence: string) => void;
}

export interface SnapshotOptions {
  /** Called before each piece is stored, with its length. What it throws ends it; nothing is kept. */
  readonly onBytes?: (bytes: number) => void;
  /** As in `StopOptions`. */
  readonly onLeftOut?: (sentence: string) => void;
}

/** A sandbox that runs. */
export interface EngineSandbox {
  readonly id: string;
  /** Resolves once, when the sandbox is gone, whoever ended it. Never rejects. */
  readonly exited: Promise<SandboxExitReason>;
  /**
   * Runs a program. Resolves when it has ended and all its output was delivered.
   * @throws SandgateError `command_not_found`, `workdir_missing`, `sandbox_ended`, `engine_failed`
   */
  exec(request: ExecRequest): Promise<ExecOutcome>;
  /**
   * The sandbox's kernel of that language, started at its first use.
   * @throws SandgateError `language_unsupported`
   */
  kernel(language: KernelLanguage): Kernel;
  /**
   * Reads a file. Links are resolved inside the sandbox.
   * @throws SandgateError `invalid_request` beyond `maxBytes`, and as `SandboxFiles.read` does
   */
  readFile(path: string, options?: { readonly maxBytes?: number }): Promise<Buffer>;
  /**
   * Writes a file, replacing what is there. The parent directory must exist.
   * @throws SandgateError as `SandboxFiles.write` does
   */
  writeFile(path: string, data: Uint8Array, options?: { readonly mode?: number }): Promise<void>;
  metrics(): Promise<SandboxMetrics>;
  /** Absent in an engine that has only `readFile` and `writeFile`. */
  readonly files?: SandboxFiles;
  /** Absent in an engine without terminals. @throws SandgateError as `exec` does */
  openTerminal?(request: TerminalRequest): Promise<Terminal>;
  /**
   * Takes the CPU from every process, and keeps their memory. Resolves when none runs any more. What
   * is called meanwhile waits until `resume`, but `stop`, which resumes by itself. Idempotent.
   */
  pause?(): Promise<void>;
  /** Idempotent. */
  resume?(): Promise<void>;
  /**
   * Stores the writable layer as it is under a new snapshot id, with all processes held still
   * meanwhile.
   */
  snapshot?(snapshotId: string, options?: SnapshotOptions): Promise<{ readonly sizeBytes: number }>;
  /** Switches the policy of a running sandbox: it holds for new and for open connections. */
  setEgress?(policy: EgressPolicy): Promise<void>;
  /**
   * Opens a connection to a TCP port that a program in the sandbox listens on, on its loopback.
   * @throws SandgateError `port_closed` when nothing listens there
   */
  dial?(port: number): Promise<Duplex>;
  /** Ends every process and keeps the writable layer for the next start. Idempotent. */
  stop(options?: StopOptions): Promise<void>;
}

/** Stored writable layers that new sandboxes can start with. */
export interface EngineSnapshots {
  /** Idempotent. */
  remove(snapshotId: string): Promise<void>;
  /** Bytes of every stored snapshot, by its id. Half ones of a crash are removed by `reconcile`. */
  sizes(): Promise<ReadonlyMap<string, number>>;
}

/** Disks that outlive sandboxes. One is attached to at most one sandbox at a time. */
export interface EngineVolumes {
  /** Makes an empty one of that size, which is enforced. @throws SandgateError `disk_full` */
  create(volumeId: string, options: { readonly sizeMib: number }): Promise<void>;
  /** @throws SandgateError `volume_attached` while a sandbox uses it. Idempotent */
  remove(volumeId: string): Promise<void>;
  /** Every stored volume: its size, and what is used of it where that is known. */
  list(): Promise<
    ReadonlyMap<string, { readonly sizeMib: number; readonly usedBytes: number | null }>
  >;
}

/**
 * Starts sandboxes. The adapter is the only place that knows how; the contract suite states what
 * every engine promises.
 */
export interface Engine {
  /** Looks at the machine by really starting something. Cached by the engine after the first call. */
  probe(): Promise<EngineReport>;
  /**
   * Starts a sandbox and resolves when it takes calls.
   * @throws SandgateError `engine_unavailable`, `image_unknown`, `engine_failed`
   */
  start(spec: EngineSandboxSpec, observer?: EngineObserver): Promise<EngineSandbox>;
  /** Absent in an engine without snapshots. */
  readonly snapshots?: EngineSnapshots;
  /** Absent in an engine without volumes. */
  readonly volumes?: EngineVolumes;
  /** Absent in an engine that starts sandboxes from its templates alone. */
  readonly images?: ImagePuller;
  /** Removes the stored writable layer of a sandbox that does not run. */
  removeLayer(id: string): Promise<void>;
  /** Bytes of every stored writable layer, by the sandbox's id. */
  layerSizes(): Promise<ReadonlyMap<string, number>>;
  /** Removes what an earlier process left behind: cgroups, directories, processes. */
  reconcile(): Promise<void>;
  /** Stops every sandbox of this engine, keeping layers, and releases everything. */
  close(): Promise<void>;
}
