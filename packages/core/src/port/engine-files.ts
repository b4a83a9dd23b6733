/** One entry of a sandbox's file system. Links are told of, and not followed. */
export interface FileEntry {
  /** Absolute, as it was asked for or found beneath what was. */
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  readonly sizeBytes: number;
  /** Permission bits, as in 0o644. */
  readonly mode: number;
  readonly modifiedAtMs: number;
  /** Where a link points, as it is written in it. Null for anything else. */
  readonly linkTarget: string | null;
}

export interface FileReadRequest {
  readonly path: string;
  /** Default: 0. */
  readonly offsetBytes?: number;
  /** Default: to the end. */
  readonly lengthBytes?: number;
  readonly signal?: AbortSignal;
  /** Called once, before the first piece. */
  readonly onEntry?: (entry: FileEntry) => void;
  /** A promise holds back reading. The piece is the receiver's: nobody else reads it afterwards. */
  readonly onData: (data: Buffer) => void | Promise<void>;
}

export interface FileWriteRequest {
  readonly path: string;
  /** A piece is there until the next one is asked for. */
  readonly source: AsyncIterable<Uint8Array>;
  /** Default: 0o644, and for a file that is there, what it has. */
  readonly mode?: number;
  /** Makes the directories above it. Default: false. */
  readonly makeParents?: boolean;
  readonly signal?: AbortSignal;
}

export interface FileChange {
  readonly kind: 'created' | 'changed' | 'removed';
  readonly path: string;
}

/**
 * Files of a running sandbox. Every path is absolute and resolved inside the sandbox, with the rights
 * of its user: no link leads out of it.
 * @throws SandgateError of each method: `file_not_found`, `file_exists`, `file_denied` (no permission),
 * `file_conflict` (a directory where a file was expected, the other way round, or not empty),
 * `disk_full`, `sandbox_ended`, `request_abandoned`
 */
export interface SandboxFiles {
  stat(path: string): Promise<FileEntry>;
  /** What is in a directory, by name. @throws SandgateError `payload_too_large` beyond `maxEntries` */
  list(path: string, options: { readonly maxEntries: number }): Promise<readonly FileEntry[]>;
  /** With `parents`, also those above it, and one that is there is no error. */
  makeDirectory(path: string, options?: { readonly parents?: boolean }): Promise<void>;
  move(from: string, to: string): Promise<void>;
  /** With `recursive`, a directory with everything in it. */
  remove(path: string, options?: { readonly recursive?: boolean }): Promise<void>;
  /** Reads in pieces, in constant memory. Resolves when the last piece was taken. */
  read(request: FileReadRequest): Promise<void>;
  /**
   * Writes in pieces, in constant memory, beside the file and then in its place: a write that fails
   * leaves what was there. Resolves with the bytes written.
   */
  write(request: FileWriteRequest): Promise<number>;
  /** A directory as an uncompressed tar archive, with names relative to it. */
  pack(request: {
    readonly path: string;
    readonly signal?: AbortSignal;
    readonly onData: (data: Buffer) => void | Promise<void>;
  }): Promise<void>;
  /** Unpacks a tar archive into a directory, which is made when it is not there. */
  unpack(request: {
    readonly path: string;
    readonly source: AsyncIterable<Uint8Array>;
    readonly signal?: AbortSignal;
  }): Promise<void>;
  /** Reports changes beneath a directory until the signal is aborted or the sandbox ends. */
  watch(request: {
    readonly path: string;
    readonly recursive: boolean;
    readonly signal: AbortSignal;
    /** Called once: what changes from now on is reported. */
    readonly onWatching?: () => void;
    readonly onChange: (change: FileChange) => void;
  }): Promise<void>;
}
