import type { Storage } from '../port/storage.ts';
import { type SandboxLimits, unlimitedSandboxes } from './sandbox-limits.ts';

/** A key whose own limits count, beside those of the plan. */
export interface KeyHolder {
  readonly keyNumber: number;
  readonly limits: SandboxLimits;
}

/** The key that asks for something to be made. */
export interface SandboxCaller {
  readonly keyNumber: number;
  /** It, its parent, that one's parent, and so on: what a child has its ancestors have too. */
  readonly holders: readonly KeyHolder[];
}

/** A chain that is longer than any that can be made. */
const longestChain = 64;

export async function findCaller(
  { keys }: { readonly keys: Pick<Storage['keys'], 'findByNumber'> },
  keyNumber: number,
): Promise<SandboxCaller> {
  const holders: KeyHolder[] = [];
  let next: number | null = keyNumber;
  while (next !== null && holders.length < longestChain) {
    const key = await keys.findByNumber(next);
    const sandboxes = key?.restrictions.maxSandboxes ?? null;
    holders.push({ keyNumber: next, limits: { ...unlimitedSandboxes, sandboxes } });
    next = key?.parentNumber ?? null;
  }
  return { keyNumber, holders };
}
