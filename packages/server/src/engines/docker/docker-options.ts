import type { KernelLanguage } from '@sandgate/core';
import type { TerminalProgram } from '../terminal/terminal-program.ts';

export interface DockerTemplate {
  /** As clients name it, as in `debian`. */
  readonly name: string;
  /** The image that Docker has, as in `debian:12`. */
  readonly image: string;
  readonly description: string | null;
}

/** An image reference in its parts. */
export interface DockerReference {
  /** As in `docker.io` or `registry.example:5000`. */
  readonly registry: string;
  readonly repository: string;
  /** A tag, or a digest. */
  readonly version: string;
}

/** What the daemon may pull. */
export interface DockerPulls {
  /** @throws SandgateError `invalid_request`, `registry_not_allowed`, `registry_unreachable` */
  readonly readReference: (text: string, allowHttp: boolean) => Promise<DockerReference>;
  /** Of one image, as it is transferred. */
  readonly maxBytes: number;
}

export interface DockerEngineOptions {
  /** Tells this server's containers from those of others; the same at every start. */
  readonly instance: string;
  /** Path of the daemon's Unix socket. */
  readonly socketPath: string;
  /**
   * OCI runtime by the name that the daemon knows it by. `auto`: gVisor's `runsc` where the daemon has
   * it and an image starts and runs with it, else the daemon's default.
   */
  readonly runtime: string;
  readonly templates: readonly DockerTemplate[];
  /** Default: nothing is pulled, and the daemon starts what it has. */
  readonly pulls?: DockerPulls;
  /** Directory of the kernels' guest scripts. */
  readonly guestDirectory: string;
}

/** A template whose image is there and was looked into. */
export interface DockerImage {
  readonly name: string;
  readonly image: string;
  /** Content digest: what a sandbox was made from. */
  readonly imageId: string;
  readonly description: string;
  readonly languages: readonly KernelLanguage[];
  /** How its sandboxes make terminals; null where they cannot. */
  readonly terminal: TerminalProgram | null;
}
