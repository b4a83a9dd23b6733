/** With which a registry lets somebody in: by HTTP Basic, or at the token server that it names. */
export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
}

/** As an image index lists it (OCI image index, `platform`). */
export interface ImagePlatform {
  /** As in `linux`. */
  readonly os: string;
  /** As in `amd64` or `arm64`. */
  readonly architecture: string;
  /** As in `v8`. */
  readonly variant?: string;
}

/**
 * `resolving`: the reference is made into a manifest. `downloading`: layers come. `extracting`: they are
 * unpacked. `ready`: all of it is here.
 */
export type ImagePullPhase = 'resolving' | 'downloading' | 'extracting' | 'ready';

export interface ImagePullProgress {
  readonly phase: ImagePullPhase;
  /** Digest of the layer that the change is about; null for the image as a whole. */
  readonly layer: string | null;
  /** Of all layers together in this phase, as they are transferred: compressed. */
  readonly doneBytes: number;
  /** Null while it is not known. */
  readonly totalBytes: number | null;
}

export interface ImagePull {
  /**
   * As in `debian`, `ghcr.io/owner/name:1.2`, `registry.example:5000/team/app@sha256:…`. Without a
   * registry it is Docker Hub's, without a tag `latest`.
   */
  readonly reference: string;
  /** Sent to the registry, and to the token server that it names, and nowhere else. Null: nobody in particular. */
  readonly credentials: RegistryCredentials | null;
  /** Default: that of this machine. */
  readonly platform?: ImagePlatform;
  /** The registry is spoken to without TLS. Only where the operator allows its host. Default: false. */
  readonly allowHttp?: boolean;
  /** For whom. One image at a time is transferred for each workspace, so that none holds up the others. */
  readonly workspaceId?: string;
  /** Aborting rejects this call. What others pull goes on. */
  readonly signal?: AbortSignal;
  /** Called as often as something changes, some times a second at most, and once with `ready`. */
  readonly onProgress?: (progress: ImagePullProgress) => void;
}

/** What an image says of the containers that are made of it (OCI image configuration, `config`). */
export interface ImageConfig {
  readonly env: Readonly<Record<string, string>>;
  /** Empty: none. */
  readonly entrypoint: readonly string[];
  /** Empty: none. */
  readonly cmd: readonly string[];
  /** Absolute. Null: the image names none. Not applied by the engine, as `env` is: a sandbox's spec names its own. */
  readonly workdir: string | null;
  /** As in `1000:1000` or `node`. Sandboxes run as their own user all the same. */
  readonly user: string | null;
  /** As in `8080/tcp`. */
  readonly exposedPorts: readonly string[];
}

/** An image that is here, and that sandboxes can be started from. */
export interface PulledImage {
  /**
   * `EngineSandboxSpec.pulledImage` of sandboxes that are made of it, as in
   * `ghcr.io/owner/name@sha256:…`: a reference that always means the same, and can be pulled again.
   */
  readonly image: string;
  /** Digest of the manifest that was resolved, `sha256:` and 64 hex digits. */
  readonly digest: string;
  /** Digests of the layers as they are transferred, lowest first. */
  readonly layers: readonly string[];
  readonly config: ImageConfig;
  /** What it takes here, unpacked. Layers that images share are counted for each. */
  readonly sizeBytes: number;
}

/** Brings images from registries to where an engine can start sandboxes from them. */
export interface ImagePuller {
  /**
   * Asks the registry what the reference means by now, and brings what is not here yet. Two calls for
   * one image transfer it once. What is cut leaves no half image.
   * @throws SandgateError `invalid_request` for what is no reference, `registry_not_allowed` (its address
   *   is not one that may be called), `registry_unreachable`, `registry_unauthorized`, `image_not_found`,
   *   `platform_not_offered`, `digest_mismatch`, `image_invalid`, `image_too_large`, `disk_full`,
   *   `engine_unavailable`
   */
  pull(request: ImagePull): Promise<PulledImage>;
  /** By `PulledImage.image`. Null: it is not here, or not any more. */
  find(image: string): Promise<PulledImage | null>;
  list(): Promise<readonly PulledImage[]>;
  /** Removes what neither a running sandbox nor `kept`, by `PulledImage.image`, has use for. */
  removeOthers(kept: ReadonlySet<string>): Promise<{ readonly freedBytes: number }>;
}
