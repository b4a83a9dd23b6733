/**
 * One classic BPF instruction, the kernel's `struct sock_filter` (include/uapi/linux/filter.h).
 * A conditional jump skips `jumpTrue` or `jumpFalse` instructions; both are 8 bit.
 */
export interface BpfInstruction {
  readonly code: number;
  readonly jumpTrue: number;
  readonly jumpFalse: number;
  /** 32 bit: a constant, an offset to load from, or the distance of an unconditional jump. */
  readonly operand: number;
}

/** Operation codes that a seccomp filter may hold and this compiler emits. */
export const bpfCode = {
  /** A = the 32-bit word at the offset in `struct seccomp_data`. */
  loadWord: 0x20,
  /** A = A & operand */
  and: 0x54,
  jump: 0x05,
  jumpIfEqual: 0x15,
  jumpIfAtLeast: 0x35,
  /** Ends the filter with the operand as its result. */
  answer: 0x06,
} as const;

/** The longest conditional jump. */
const maxConditionalJump = 255;

export function instruction(code: number, operand: number): BpfInstruction {
  return { code, jumpTrue: 0, jumpFalse: 0, operand };
}

/**
 * Continues with `whenTrue` or `whenFalse` after comparing A with `operand`. Both must end in an
 * answer, so that neither runs into the other; where one is too long to be jumped over by a
 * conditional jump, an unconditional one with its 32-bit distance takes over.
 */
export function branch(
  code: typeof bpfCode.jumpIfEqual | typeof bpfCode.jumpIfAtLeast,
  operand: number,
  whenTrue: readonly BpfInstruction[],
  whenFalse: readonly BpfInstruction[],
): readonly BpfInstruction[] {
  if (whenTrue.length <= maxConditionalJump) {
    const test = { code, operand, jumpTrue: 0, jumpFalse: whenTrue.length };
    return [test, ...whenTrue, ...whenFalse];
  }
  if (whenFalse.length <= maxConditionalJump) {
    const test = { code, operand, jumpTrue: whenFalse.length, jumpFalse: 0 };
    return [test, ...whenFalse, ...whenTrue];
  }
  const test = { code, operand, jumpTrue: 0, jumpFalse: 1 };
  return [test, instruction(bpfCode.jump, whenFalse.length), ...whenFalse, ...whenTrue];
}

const instructionBytes = 8;

/** The instructions as an array of little-endian `struct sock_filter`. */
export function encodeInstructions(instructions: readonly BpfInstruction[]): Buffer {
  const bytes = Buffer.alloc(instructions.length * instructionBytes);
  for (const [index, { code, jumpTrue, jumpFalse, operand }] of instructions.entries()) {
    const offset = index * instructionBytes;
    bytes.writeUInt16LE(code, offset);
    bytes.writeUInt8(jumpTrue, offset + 2);
    bytes.writeUInt8(jumpFalse, offset + 3);
    bytes.writeUInt32LE(operand, offset + 4);
  }
  return bytes;
}
