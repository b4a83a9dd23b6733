import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allowedCalls, callNames } from './allowed-calls.ts';
import { checkedCalls } from './checked-calls.ts';
import { compileSeccompFilter, type FilterArchitecture } from './compile-filter.ts';
import { refusedCalls } from './refused-calls.ts';
import { syscallNumbersArm64 } from './syscall-numbers-arm64.ts';
import { syscallNumbersX64 } from './syscall-numbers-x64.ts';

interface SeccompData {
  readonly number: number;
  readonly auditArch: number;
  readonly args: readonly bigint[];
}

const ALLOW = 0x7fff_0000;
const EPERM = 0x0005_0001;
const ENOSYS = 0x0005_0026;
const KILL = 0x8000_0000;

const architectures = [
  { name: 'x64', auditArch: 0xc000_003e, numbers: syscallNumbersX64 },
  { name: 'arm64', auditArch: 0xc000_00b7, numbers: syscallNumbersArm64 },
] as const;

/** A second, plain reading of classic BPF; anything that the kernel would refuse throws. */
function interpret(program: Buffer, data: SeccompData): number {
  const memory = Buffer.alloc(64);
  memory.writeUInt32LE(data.number, 0);
  memory.writeUInt32LE(data.auditArch, 4);
  for (const [index, value] of data.args.entries()) memory.writeBigUInt64LE(value, 16 + 8 * index);
  let accumulator = 0;
  for (let at = 0; ; at += 1) {
    if ((at + 1) * 8 > program.length) throw new Error('ran off the end of the program');
    const operand = program.readUInt32LE(at * 8 + 4);
    const taken = program.readUInt8(at * 8 + 2);
    const notTaken = program.readUInt8(at * 8 + 3);
    const code = program.readUInt16LE(at * 8);
    if (code === 0x20) accumulator = memory.readUInt32LE(operand);
    else if (code === 0x54) accumulator = (accumulator & operand) >>> 0;
    else if (code === 0x05) at += operand;
    else if (code === 0x15) at += accumulator === operand ? taken : notTaken;
    else if (code === 0x35) at += accumulator >= operand ? taken : notTaken;
    else if (code === 0x06) return operand;
    else throw new Error(`unknown operation code ${code}`);
  }
}

/** The tables, read without any of the compiler's code. */
function expected(architecture: (typeof architectures)[number], data: SeccompData): number {
  if (data.auditArch !== architecture.auditArch) return KILL;
  const x32 = data.number >= 0x4000_0000 && data.number < 0x8000_0000;
  if (architecture.name === 'x64' && x32) return EPERM;
  const name = Object.entries(architecture.numbers).find(([, n]) => n === data.number)?.[0];
  if (name === undefined) {
    return data.number > Math.max(...Object.values(architecture.numbers)) ? ENOSYS : EPERM;
  }
  if (allowedCalls.some((group) => callNames(group).includes(name))) return ALLOW;
  const [first, second, third] = data.args.map((value) => Number(value & 0xffff_ffffn));
  switch (name) {
    case 'clone':
      return ((first ?? 0) & 0x7e02_0000) === 0 ? ALLOW : EPERM;
    case 'socketpair':
      return first === 1 ? ALLOW : EPERM;
    case 'socket': {
      if (first === 1 || (first === 16 && third === 0)) return ALLOW;
      const internet = first === 2 || first === 10;
      const common =
        [1, 2].includes((second ?? 0) & 0xf) && [0, 1, 6, 17, 58].includes(third ?? -1);
      return internet && common ? ALLOW : EPERM;
    }
    case 'ioctl':
      return second === 0x5412 || second === 0x541c ? EPERM : ALLOW;
    case 'personality':
      return [0, 8, 0x2_0000, 0x2_0008, 0xffff_ffff].includes(first ?? -1) ? ALLOW : EPERM;
    case 'clone3':
    case 'statmount':
    case 'listmount':
    case 'listns':
    case 'lsm_get_self_attr':
    case 'lsm_set_self_attr':
    case 'lsm_list_modules':
      return ENOSYS;
    default:
      return EPERM;
  }
}

const noArgs = [0n, 0n, 0n, 0n, 0n, 0n];

describe.each(architectures)('the $name filter', (architecture) => {
  const program = compileSeccompFilter(architecture.name);
  const answer = (number: number, args: readonly bigint[] = noArgs) =>
    interpret(program, { number, auditArch: architecture.auditArch, args });

  it('answers as the tables say for every number from 0 to 600', () => {
    for (let number = 0; number <= 600; number += 1) {
      const data = { number, auditArch: architecture.auditArch, args: noArgs };
      expect([number, interpret(program, data)]).toEqual([number, expected(architecture, data)]);
    }
  });

  it('answers as the tables say for any number, architecture and arguments', () => {
    const interesting = [0, 1, 2, 3, 6, 8, 10, 16, 17, 0x11, 0x5412, 0x541c, 0x2_0008, 0x3d_0f00];
    const low = fc.oneof(
      fc.constantFrom(...interesting),
      fc.nat(0xffff_ffff),
      fc.nat(31).map((bit) => (1 << bit) >>> 0),
    );
    const argument = fc
      .tuple(low, fc.constantFrom(0, 1, 0xffff_ffff))
      .map(([lower, upper]) => (BigInt(upper) << 32n) | BigInt(lower));
    const numbers: Readonly<Record<string, number>> = architecture.numbers;
    const checkedNumbers = checkedCalls.map(({ call }) => numbers[call] ?? -1);
    fc.assert(
      fc.property(
        fc.record({
          number: fc.oneof(
            fc.constantFrom(...checkedNumbers),
            fc.nat(600),
            fc.nat(0xffff_ffff),
            fc.nat(600).map((number) => number + 0x4000_0000),
          ),
          auditArch: fc.oneof(
            { weight: 9, arbitrary: fc.constant(architecture.auditArch) },
            { weight: 1, arbitrary: fc.constantFrom(0x4000_0003, 0x4000_0028, 0, 0xffff_ffff) },
          ),
          args: fc.array(argument, { minLength: 6, maxLength: 6 }),
        }),
        (data) => interpret(program, data) === expected(architecture, data),
      ),
      { numRuns: 3000 },
    );
  });

  it('kills a process that calls by another architecture’s numbers', () => {
    for (const auditArch of [0x4000_0003, 0x4000_0028, 0xc000_00f3]) {
      expect(interpret(program, { number: 0, auditArch, args: noArgs })).toBe(KILL);
    }
  });

  it('answers ENOSYS for calls newer than its table and for clone3', () => {
    expect(answer(Math.max(...Object.values(architecture.numbers)) + 1)).toBe(ENOSYS);
    expect(answer(0xffff_ffff)).toBe(ENOSYS);
    expect(answer(architecture.numbers.clone3)).toBe(ENOSYS);
  });

  it('refuses a new namespace in clone, also when the high half of the flags is garbage', () => {
    for (const flag of [17, 25, 26, 27, 28, 29, 30]) {
      const args = [(0xdead_0000n << 32n) | (1n << BigInt(flag)) | 17n, 0n, 0n, 0n, 0n, 0n];
      expect(answer(architecture.numbers.clone, args)).toBe(EPERM);
    }
    expect(answer(architecture.numbers.clone, [0x3d_0f00n, 0n, 0n, 0n, 0n, 0n])).toBe(ALLOW);
  });

  it('stays far below the kernel’s limit of 4096 instructions', () => {
    expect(program.length % 8).toBe(0);
    expect(program.length / 8).toBeLessThan(512);
  });

  it('decides every call in at most 16 instructions', () => {
    let longest = 0;
    for (let number = 0; number <= 470; number += 1) {
      longest = Math.max(longest, countSteps(program, number, architecture.auditArch));
    }
    expect(longest).toBeLessThanOrEqual(16);
  });
});

function countSteps(program: Buffer, number: number, auditArch: number): number {
  let steps = 0;
  let accumulator = 0;
  for (let at = 0; program.readUInt16LE(at * 8) !== 0x06; at += 1) {
    steps += 1;
    const operand = program.readUInt32LE(at * 8 + 4);
    const code = program.readUInt16LE(at * 8);
    if (code === 0x20) accumulator = operand === 0 ? number : operand === 4 ? auditArch : 0;
    else if (code === 0x05) at += operand;
    else if (code !== 0x54) {
      const holds = code === 0x15 ? accumulator === operand : accumulator >= operand;
      at += program.readUInt8(at * 8 + (holds ? 2 : 3));
    }
  }
  return steps + 1;
}

describe('the call tables', () => {
  const listed = [
    ...allowedCalls.flatMap(callNames),
    ...refusedCalls.flatMap(callNames),
    ...checkedCalls.map(({ call }) => call),
  ];

  it('decide every call of the number tables exactly once', () => {
    const known = new Set([...Object.keys(syscallNumbersX64), ...Object.keys(syscallNumbersArm64)]);
    expect(listed.toSorted()).toEqual([...known].toSorted());
  });

  it('give a reason for every group', () => {
    for (const { purpose, reason } of [...allowedCalls, ...refusedCalls]) {
      expect(purpose && reason).toBeTruthy();
    }
  });

  it.each<[FilterArchitecture, Record<string, number>, Record<string, number>]>([
    ['x64', syscallNumbersX64, { read: 0, clone: 56, mount: 165, openat: 257, clone3: 435 }],
    ['arm64', syscallNumbersArm64, { openat: 56, read: 63, clone: 220, mount: 40, clone3: 435 }],
  ])('have the %s numbers of the kernel’s ABI', (_name, numbers, pinned) => {
    expect(numbers).toMatchObject(pinned);
  });
});
