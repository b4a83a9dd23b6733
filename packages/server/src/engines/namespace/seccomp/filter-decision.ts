/** What the filter answers to a system call. */
export type Verdict =
  | 'allow'
  /** The call fails with EPERM: it is there, and this sandbox may not use it. */
  | 'EPERM'
  /** The call fails with ENOSYS: programs that probe for it take their older way. */
  | 'ENOSYS'
  /** The whole process is killed. */
  | 'kill';

/**
 * Looks at one argument of the call. Every argument that the tables check is read by the kernel as
 * 32 bits, so the low half is compared and the high half, which the kernel ignores, is ignored too:
 * comparing 64 bits would let a caller slip through with garbage in the high half.
 */
export interface ArgumentMatch {
  /** 0 for the first argument. */
  readonly argument: 0 | 1 | 2 | 3 | 4 | 5;
  /** Bits that are compared; all 32 by default. */
  readonly mask?: number;
  /** The first case that holds the masked value decides. */
  readonly cases: readonly { readonly values: readonly number[]; readonly decide: Decision }[];
  readonly otherwise: Decision;
}

export type Decision = Verdict | ArgumentMatch;
