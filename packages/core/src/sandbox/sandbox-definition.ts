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
  /** Further variables, of this sandbox alone: they are not listed, and no snapshot takes them along. */
  readonly secretEnvironment?: Readonly<Record<string, string>>;
  /**
   * Both at rest, as `sealEnvironments` writes them. In memory it is there only where it could not be opened.
   * `text` is base64.
   */
  readonly sealed?: { readonly text: string; readonly keyVersion: number };
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
