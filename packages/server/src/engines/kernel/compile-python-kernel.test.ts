import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RichResult } from '@sandgate/core';
import { expect, test } from 'vitest';
import { compilePythonKernel } from './compile-python-kernel.ts';
import { guestDirectory, interpreters, startKernelInTest } from './start-kernel-in-test.ts';

test('a compiled guest script runs like its source', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kernel-'));
  try {
    await compilePythonKernel(interpreters.python, guestDirectory, directory);
    const kernel = startKernelInTest('python', { directory, compiled: true });
    const failing = await kernel.run('def f(): 1/0\nf()');
    expect(failing.stderr).toMatch(
      /^Traceback \(most recent call last\):\n {2}File "<run 1>", line 2/,
    );
    expect((await kernel.run('1+1')).stdout).toBe('2\n');
    const shown: string[] = [];
    const onResult = ({ data }: RichResult): void => void shown.push(data['text/plain'] ?? '');
    await kernel.run('1+2', { onResult });
    expect(shown).toEqual(['3']);
    await kernel.close();
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('an interpreter that is not there is an error', async () => {
  await expect(compilePythonKernel('/nowhere/python3', guestDirectory, tmpdir())).rejects.toThrow(
    'ENOENT',
  );
});
