import { allowedCalls, callNames } from './allowed-calls.ts';
import {
  type BpfInstruction,
  bpfCode,
  branch,
  encodeInstructions,
  instruction,
} from './bpf-instruction.ts';
import { checkedCalls } from './checked-calls.ts';
import type { ArgumentMatch, Decision, Verdict } from './filter-decision.ts';
import { refusedCalls } from './refused-calls.ts';
import { syscallNumbersArm64 } from './syscall-numbers-arm64.ts';
import { syscallNumbersX64 } from './syscall-numbers-x64.ts';

export type FilterArchitecture = 'x64' | 'arm64';

interface ArchitectureFacts {
  /** AUDIT_ARCH_* of include/uapi/linux/audit.h, which the kernel puts in `seccomp_data.arch`. */
  readonly auditArch: number;
  readonly numbers: Readonly<Record<string, number>>;
  /** Where x86_64 has its second ABI with 32-bit pointers: numbers with bit 30 set. */
  readonly secondAbi: { readonly first: number; readonly last: number } | null;
}

const architectures: Readonly<Record<FilterArchitecture, ArchitectureFacts>> = {
  x64: {
    auditArch: 0xc000_003e,
    numbers: syscallNumbersX64,
    secondAbi: { first: 0x4000_0000, last: 0x7fff_ffff },
  },
  arm64: { auditArch: 0xc000_00b7, numbers: syscallNumbersArm64, secondAbi: null },
};

/** SECCOMP_RET_* of include/uapi/linux/seccomp.h; the errno is in the low 16 bits. */
const answers: Readonly<Record<Verdict, number>> = {
  allow: 0x7fff_0000,
  EPERM: 0x0005_0000 | 1,
  ENOSYS: 0x0005_0000 | 38,
  kill: 0x8000_0000,
};

/** Offsets in `struct seccomp_data`; the low half of an argument comes first. */
const dataOffset = { number: 0, architecture: 4, argument: (index: number) => 16 + 8 * index };

/** The kernel refuses longer programs (BPF_MAXINSNS). */
const maxInstructions = 4096;

/** A run of neighbouring call numbers with one decision, up to where the next begins. */
interface NumberRange {
  readonly first: number;
  readonly decision: Decision;
}

/**
 * Compiles the tables to a seccomp filter: an array of `struct sock_filter`, as `bwrap --seccomp FD`
 * and `prctl(PR_SET_SECCOMP)` take it.
 *
 * A foreign architecture is killed, as its numbers mean other calls. Then a binary search finds the
 * number's range: about nine comparisons. Since Linux 5.11 the kernel remembers the numbers that
 * pass whatever their arguments are and does not run the filter for them at all.
 */
export function compileSeccompFilter(architecture: FilterArchitecture): Buffer {
  const facts = architectures[architecture];
  const program = [
    instruction(bpfCode.loadWord, dataOffset.architecture),
    ...branch(
      bpfCode.jumpIfEqual,
      facts.auditArch,
      [instruction(bpfCode.loadWord, dataOffset.number), ...searchRanges(rangesOf(facts))],
      answer('kill'),
    ),
  ];
  if (program.length > maxInstructions) {
    throw new RangeError(`seccomp filter has ${program.length} instructions of ${maxInstructions}`);
  }
  return encodeInstructions(program);
}

function rangesOf({ numbers, secondAbi }: ArchitectureFacts): readonly NumberRange[] {
  const decisions = decisionsByName();
  const highest = Math.max(...Object.values(numbers));
  const decisionOf = new Map<number, Decision>();
  for (const [name, number] of Object.entries(numbers)) {
    decisionOf.set(number, decisions.get(name) ?? 'EPERM');
  }
  const ranges: NumberRange[] = [];
  const append = (first: number, decision: Decision) => {
    if (ranges.at(-1)?.decision !== decision) ranges.push({ first, decision });
  };
  for (let number = 0; number <= highest; number += 1) {
    append(number, decisionOf.get(number) ?? 'EPERM');
  }
  append(highest + 1, 'ENOSYS');
  if (secondAbi !== null) {
    append(secondAbi.first, 'EPERM');
    // What is above, as in the -1 of programs that test for a missing call, is simply unknown.
    append(secondAbi.last + 1, 'ENOSYS');
  }
  return ranges;
}

function decisionsByName(): ReadonlyMap<string, Decision> {
  const decisions = new Map<string, Decision>();
  for (const group of allowedCalls) {
    for (const call of callNames(group)) decisions.set(call, 'allow');
  }
  for (const group of refusedCalls) {
    for (const call of callNames(group)) decisions.set(call, group.verdict);
  }
  for (const { call, decision } of checkedCalls) decisions.set(call, decision);
  return decisions;
}

function searchRanges(ranges: readonly NumberRange[]): readonly BpfInstruction[] {
  const middle = ranges[ranges.length >> 1];
  if (middle === undefined) return answer('EPERM');
  if (ranges.length === 1) return compileDecision(middle.decision);
  const lower = searchRanges(ranges.slice(0, ranges.length >> 1));
  const upper = searchRanges(ranges.slice(ranges.length >> 1));
  return branch(bpfCode.jumpIfAtLeast, middle.first, upper, lower);
}

function compileDecision(decision: Decision): readonly BpfInstruction[] {
  return typeof decision === 'string' ? answer(decision) : compileMatch(decision);
}

function compileMatch({ argument, mask, cases, otherwise }: ArgumentMatch) {
  const load = [instruction(bpfCode.loadWord, dataOffset.argument(argument))];
  if (mask !== undefined) load.push(instruction(bpfCode.and, mask));
  let rest = compileDecision(otherwise);
  for (const { values, decide } of cases.toReversed()) {
    const decided = compileDecision(decide);
    for (const value of values.toReversed()) {
      rest = branch(bpfCode.jumpIfEqual, value, decided, rest);
    }
  }
  return [...load, ...rest];
}

function answer(verdict: Verdict): readonly BpfInstruction[] {
  return [instruction(bpfCode.answer, answers[verdict])];
}
