/** A disk that outlives sandboxes, and is attached to one at a time. */
export interface Volume {
  /** 24 hex digits, time-ordered. */
  readonly id: string;
  readonly workspaceId: string;
  /** `^[a-z0-9-]{1,40}$`, unique in its workspace. */
  readonly name: string;
  readonly sizeMib: number;
  /** `creating` and `deleting` are seen for moments, and settled after a crash. */
  readonly state: 'creating' | 'ready' | 'deleting';
  /** Its owner's choice, as it was given; every volume is on this machine. */
  readonly region: string | null;
  /** Null: free. */
  readonly attachedSandboxId: string | null;
  /** Where it is, or was last, in a sandbox. */
  readonly guestPath: string | null;
  readonly lastAttachedAtMs: number | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export interface VolumeRequest {
  readonly name: string;
  readonly sizeMib: number;
  readonly region?: string | null;
}

export interface VolumeFilter {
  readonly attached?: boolean;
  readonly namePrefix?: string;
}
