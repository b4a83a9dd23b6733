import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openFilesLimit, processLimitsFor, ulimitScript } from './process-limits.ts';

const resources = { memoryMib: 256, cpus: 1, diskMib: 100, maxProcesses: 77 };
const none = { memory: false, processes: false };

function limitsSetBy(shell: string, script: string): string {
  const argv = [
    '-c',
    `${script}
exec cat /proc/self/limits`,
  ];
  return spawnSync(shell, argv, { argv0: 'sh', encoding: 'utf8' }).stdout;
}

const shells = ['/bin/sh', '/bin/bash', '/bin/busybox'].filter((shell) => existsSync(shell));

// Each is /bin/sh somewhere, and goes by that name to behave as it does there.
describe.each(shells)('the ulimit script in %s', (shell) => {
  it('sets soft and hard limits to what was asked', () => {
    const limits = limitsSetBy(shell, ulimitScript(processLimitsFor(resources, none, 512)));
    const lines = limits.replace(/ +/g, ' ');
    expect(lines).toContain('Max file size 104857600 104857600 bytes');
    expect(lines).toContain('Max data size 1342177280 1342177280 bytes');
    expect(lines).toContain('Max processes 77 77 processes');
    expect(lines).toContain('Max open files 512 512 files');
    expect(lines).toContain('Max core file size 0 0 bytes');
  });

  it('ends the shell when a limit cannot be set', () => {
    const script = `ulimit -n 64\n${ulimitScript({ openFiles: 128 })}\necho went on`;
    const asUser = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const { status, stdout } = spawnSync(shell, ['-c', script], {
      argv0: 'sh',
      encoding: 'utf8',
      ...asUser,
    });
    expect(status).not.toBe(0);
    expect(stdout).toBe('');
  });
});

describe('process limits', () => {
  it('leave memory and processes to cgroups that limit them', () => {
    expect(processLimitsFor(resources, { memory: true, processes: true }, 10)).toEqual({
      fileSizeBytes: 100 * 1024 * 1024,
      openFiles: 10,
    });
  });

  it('let Node and Python start in the smallest sandbox', () => {
    const script = ulimitScript(processLimitsFor({ ...resources, memoryMib: 16 }, none, 512));
    const node = `${script}\nexec "${process.execPath}" -e 'console.log(1)'`;
    expect(execFileSync('/bin/sh', ['-c', node], { encoding: 'utf8' })).toBe('1\n');
  });

  it('never ask for more open files than the server may have itself', () => {
    expect(openFilesLimit('/proc')).toBeLessThanOrEqual(4096);
    expect(openFilesLimit('/nowhere')).toBe(4096);
  });
});
