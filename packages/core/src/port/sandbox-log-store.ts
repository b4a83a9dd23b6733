/** Part of a log, with where it stands in it. */
export interface LogPart {
  readonly data: Buffer;
  readonly fromByte: number;
  /** Where the next part begins. */
  readonly toByte: number;
  /** Length of the whole log at the moment. */
  readonly endByte: number;
}

/** What the main commands of sandboxes write: one log each, up to a bound. */
export interface SandboxLogStore {
  /** Resolves when it is written. Never rejects for a full log: what is beyond the bound is dropped. */
  append(sandboxId: string, data: Buffer): Promise<void>;
  /** At most `maxBytes` from `fromByte`, or, where that is negative, so many bytes from the end. */
  read(
    sandboxId: string,
    request: { readonly fromByte: number; readonly maxBytes: number },
  ): Promise<LogPart>;
  /** After what is being written now. */
  remove(sandboxId: string): Promise<void>;
}
