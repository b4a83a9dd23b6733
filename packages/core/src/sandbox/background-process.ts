/** A program, or a line for the sandbox's shell. */
export type ProcessCommand = { readonly argv: readonly string[] } | { readonly line: string };

export interface ProcessRequest {
  readonly command: ProcessCommand;
  /** Absolute; default is the sandbox's workdir. */
  readonly cwd?: string;
  /** Added to the sandbox's environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether it gets a standard input that can be written to. Default: an empty one. */
  readonly stdin?: boolean;
}

/** How a process ended: `lost` with the sandbox that it ran in. */
export type ProcessEnd =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'lost' }
  | { readonly kind: 'failed'; readonly reason: string };

/** A program that runs in a sandbox without anybody waiting for it. */
export interface BackgroundProcess {
  /** 24 hex digits. */
  readonly id: string;
  readonly sandboxId: string;
  readonly command: ProcessCommand;
  readonly cwd: string | null;
  readonly startedAtMs: number;
  /** Null while it runs. */
  readonly endedAtMs: number | null;
  readonly end: ProcessEnd | null;
  readonly stdin: 'open' | 'closed';
  /** Where the output that is kept begins: what is older was dropped. */
  readonly outputFromByte: number;
  /** How many bytes it has written, to stdout and stderr together. */
  readonly outputToByte: number;
}

/** A piece of what a process wrote. */
export interface ProcessOutput {
  readonly stream: 'stdout' | 'stderr';
  /** Where the piece begins among all that it has written. */
  readonly fromByte: number;
  readonly data: Buffer;
}

export interface ProcessOutputRequest {
  /** Where to begin; what is not kept any more is left out. Default: 0. */
  readonly fromByte?: number;
  /** Go on with what it writes later, until it has ended. Default: false. */
  readonly follow?: boolean;
  /** Aborting ends the reading, without an error; the process goes on. */
  readonly signal?: AbortSignal;
}
