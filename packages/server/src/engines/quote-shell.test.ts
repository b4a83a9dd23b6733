import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoteShell, shellCall } from './quote-shell.ts';

describe('quoteShell', () => {
  it('makes one word that a shell reads back unchanged', () => {
    fc.assert(
      fc.property(
        fc
          .string({ unit: 'binary', maxLength: 60 })
          .filter((text) => !text.includes('\0') && text.isWellFormed()),
        (text) => {
          const printed = execFileSync('/bin/sh', ['-c', `printf %s ${quoteShell(text)}`]);
          expect(printed.toString('utf8')).toBe(text);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('refuses a NUL', () => {
    expect(() => quoteShell('a\0')).toThrow('NUL');
  });

  it('makes calls of one line', () => {
    expect(shellCall('job', '1', "it's")).toBe("job '1' 'it'\\''s'\n");
  });
});
