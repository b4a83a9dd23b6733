/** One step of making a sandbox's file system, in order. Paths are absolute. */
export type MountStep =
  | { readonly kind: 'tmpfs'; readonly path: string; readonly bytes: number; readonly mode: number }
  | {
      readonly kind: 'bind';
      readonly source: string;
      readonly path: string;
      readonly readOnly: boolean;
    }
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'symlink'; readonly target: string; readonly path: string }
  | { readonly kind: 'proc'; readonly path: string }
  /** The usual harmless devices; nothing else in it can be written but `shm`. */
  | { readonly kind: 'dev'; readonly path: string; readonly shmBytes: number };

export interface LaunchPlan {
  readonly hostname: string;
  readonly steps: readonly MountStep[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workdir: string;
  /** An empty directory of the host, for a launcher that `needsStaging`. */
  readonly stagingDirectory: string;
  /** The shell that becomes the agent: an absolute path inside. */
  readonly shell: string;
  /** Number of the file descriptor from which the filter is read; null without a filter. */
  readonly seccompFd: number | null;
}

/** Turns a plan into a command that, run without any privilege, becomes the sandbox. */
export interface Launcher {
  readonly name: 'bubblewrap' | 'util-linux';
  /** What was found, as in `bubblewrap 0.8.0`. */
  readonly description: string;
  /** It mounts the root on a directory of the host before it moves there. */
  readonly needsStaging: boolean;
  /** A system-call filter can be given. */
  readonly seccomp: boolean;
  command(plan: LaunchPlan): { readonly file: string; readonly args: readonly string[] };
}
