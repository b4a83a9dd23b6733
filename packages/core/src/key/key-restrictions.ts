/** What a key may touch, whatever its scopes allow. What is absent is not restricted. */
export interface KeyRestrictions {
  /** What its sandboxes may be made of: names of templates or images. */
  readonly templates?: readonly string[];
  /** Id of the only sandbox that it may touch. The key dies with it. */
  readonly sandboxId?: string;
  /** What the names of all sandboxes that it may touch begin with. */
  readonly sandboxNamePrefix?: string;
  /** How many sandboxes it and its descendants may have made that are not destroyed. */
  readonly maxSandboxes?: number;
  /** Of each sandbox that it starts. */
  readonly maxCpus?: number;
  readonly maxMemoryMib?: number;
  readonly maxDiskMib?: number;
  /** Tools of MCP servers that it may call, as in `github/issue_*`. See `mayCallTool`. */
  readonly mcpTools?: readonly string[];
}

/** Those that are numbers: the lower, the narrower. */
export const numericRestrictions = [
  'maxSandboxes',
  'maxCpus',
  'maxMemoryMib',
  'maxDiskMib',
] as const satisfies readonly (keyof KeyRestrictions)[];
