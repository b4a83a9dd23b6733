/** What a workspace's sandboxes can be made of, as its admins have set it up. */
export interface SandboxImage {
  readonly id: string;
  readonly workspaceId: string;
  /** For display. */
  readonly name: string;
  /** Name of a template of this server, or of an image of a registry. */
  readonly image: string;
  readonly tag: string;
  /** As whose user it is pulled. It may be deleted by now. Null: as nobody in particular. */
  readonly registryId: string | null;
  readonly description: string | null;
  /** Sandboxes can be made of it. */
  readonly enabled: boolean;
  /** Taken where a request names none. One of a workspace at most. */
  readonly isDefault: boolean;
  /** Null: the server's default. */
  readonly memoryMib: number | null;
  /** Of sandboxes whose request says nothing. Null: they live until they are destroyed. */
  readonly ttlMs: number | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}
