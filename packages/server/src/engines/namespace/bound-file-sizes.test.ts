import { describe, expect, it } from 'vitest';
import { boundFileSizes } from './bound-file-sizes.ts';

const mebibyte = 1_048_576;

describe('what can be written to a sandbox', () => {
  it.each([16, 17, 128, 333.3, 1_024, 8_192])('leaves room in %d MiB of memory', (memoryMib) => {
    const sizes = boundFileSizes({ memoryMib, cpus: 1, diskMib: 10_240, maxProcesses: 10 });
    const totalBytes = Object.values(sizes).reduce((sum, bytes) => sum + bytes);
    expect(totalBytes).toBeLessThan(memoryMib * mebibyte * 0.8);
    // tmpfs counts in pages, and would round anything else up.
    for (const bytes of Object.values(sizes)) expect(bytes % 4_096).toBe(0);
  });

  it('is no more than its disk', () => {
    const sizes = boundFileSizes({ memoryMib: 4_096, cpus: 1, diskMib: 64, maxProcesses: 10 });
    expect(sizes).toMatchObject({ rootBytes: 64 * mebibyte, tmpBytes: 64 * mebibyte });
  });
});
