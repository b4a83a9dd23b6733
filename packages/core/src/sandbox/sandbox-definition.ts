export interface SandboxResources {
  readonly memoryMib: number;
  /** Whole or fractional CPUs. */
  readonly cpus: number;
  readonly diskMib: number;
  readonly maxProcesses: number;
}

/** An image of a registry. It is pulled at each start, as the user of then. */
export interface RegistryImage {
  /** With its registry, as in `registry.example/team/app:1.2`. */
  readonly reference: string;
  /** A registry of the sandbox's workspace, which may be deleted by now. Null: as nobody in particular. */
  readonly registryId: string | null;
  /** What the reference meant at the first start, which is what the sandbox stays on. Null before. */
  readonly pinned: string | null;
}

/** What a sandbox is made of: stored at its first start, and used again at the next. */
export interface SandboxDefinition {
  /** With `registryImage`, what that is called for people. */
  readonly image: string;
  /** Set by the server for images of a workspace, and by no client. */
  readonly registryImage?: RegistryImage;
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
