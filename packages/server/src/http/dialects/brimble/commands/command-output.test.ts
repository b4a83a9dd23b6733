import { expect, it } from 'vitest';
import { OutputBudget } from '../../../output-budget.ts';
import { CommandOutput, maxOutputBytes } from './command-output.ts';

const pace = { turn: () => Promise.resolve() };
const piece = (stream: 'stdout' | 'stderr', length: number) => ({
  stream,
  data: Buffer.alloc(length, 'x'),
});

it('keeps both streams apart, and whole', () => {
  const output = new CommandOutput(new OutputBudget(100).open(100, 'a'), pace);
  void output.push({ stream: 'stdout', data: Buffer.from('one') });
  void output.push({ stream: 'stderr', data: Buffer.from('two') });
  expect(output.finish()).toEqual({ stdout: 'one', stderr: 'two', isCut: false });
});

it('cuts at the bound, and says so in the stream that was cut', () => {
  const output = new CommandOutput(new OutputBudget(2e7).open(2e7, 'a'), pace);
  void output.push(piece('stderr', 10));
  void output.push(piece('stdout', maxOutputBytes));
  void output.push(piece('stdout', 10));
  const { stdout, stderr, isCut } = output.finish();
  expect(isCut).toBe(true);
  expect(stderr).toBe('x'.repeat(10));
  expect(stdout.lastIndexOf('x')).toBe(maxOutputBytes - 11);
  expect(stdout).toMatch(/\n\[output cut: \d+ bytes of this command are kept\]\n$/);
});

it('cuts where the server holds as much as it may', () => {
  const output = new CommandOutput(new OutputBudget(20).open(100, 'a'), pace);
  void output.push(piece('stdout', 10));
  void output.push(piece('stdout', 10));
  expect(output.finish()).toMatchObject({
    stdout: 'xxxxxxxxxx\n[output cut: 10 bytes of this command are kept]\n',
    isCut: true,
  });
});

it('takes no more memory for a command that writes byte by byte', async () => {
  const output = new CommandOutput(new OutputBudget(2e7).open(2e7, 'a'), pace);
  const byte = Buffer.from('x');
  const before = process.memoryUsage();
  for (let written = 0; written < 2_000_000; written += 1) {
    // As a pipe gives them: each in memory of its own.
    output.push({ stream: written % 2 === 0 ? 'stdout' : 'stderr', data: Buffer.from(byte) });
  }
  const after = process.memoryUsage();
  const grownBytes = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  expect(grownBytes).toBeLessThan(100 * 1_048_576);
  expect(output.finish().stdout).toBe('x'.repeat(1_000_000));
});
