export interface SandboxResources {
  readonly memoryMib: number;
  /** Whole or fractional CPUs. */
  readonly cpus: number;
  readonly diskMib: number;
  readonly maxProcesses: number;
}

/** What a sandbox is made of: stored at its first start, and used again at the next. */
export interface SandboxDefinition {
  readonly image: string;
  readonly resources: SandboxResources;
  readonly environment: Readonly<Record<string, string>>;
  /** Further variables, of which only `sealEnvironment`'s texts are stored. */
  readonly sealedEnvironment?: Readonly<Record<string, string>>;
  readonly workdir: string;
  /** Program that runs the main command; `/bin/sh` by default. */
  readonly shell: string;
  readonly scripts: Readonly<Record<string, string>>;
  /** Main command line, run by `shell` in the background after the start. */
  readonly exec: string | null;
  /** Names of sandboxes in the same workspace that are started first. */
  readonly dependsOn: readonly string[];
  readonly mounts: readonly {
    readonly hostPath: string;
    readonly guestPath: string;
    readonly readOnly: boolean;
  }[];
}
