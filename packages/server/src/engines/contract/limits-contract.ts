import { expect } from 'vitest';
import { type ContractPart, runProgram, runShell } from './contract-suite.ts';

const resources = { memoryMib: 128, cpus: 1, diskMib: 32, maxProcesses: 40 };

export const limitsContract: ContractPart = (test, { start, report }) => {
  test('the disk is bounded wherever one can write', async () => {
    const sandbox = await start({ resources: { ...resources, memoryMib: 512 } });
    for (const directory of ['/workspace', '/tmp', '/home/sandbox', '/etc', '/dev/shm']) {
      const script = `for i in 1 2 3 4; do head -c 12000000 /dev/zero >"$0/fill$i" || break; done; rm -f "$0"/fill*`;
      const { stderr } = await runProgram(sandbox, ['/bin/sh', '-c', script, directory]);
      expect(stderr).toContain('No space left on device');
    }
    const { stdout } = await runShell(
      sandbox,
      'for d in / /dev /dev/pts /proc /sys /.sandbox/io /.sandbox/kernel /usr; do (echo x >"$d/written") 2>/dev/null && echo "$d"; done',
    );
    expect(stdout).toBe('/\n');
  });

  test('a memory bomb ends itself, and not the sandbox', async () => {
    if (report().capabilities.memoryLimit === 'none') return;
    const sandbox = await start({ resources });
    const script = 'const kept = []; for (;;) kept.push(Buffer.alloc(10_000_000, 1));';
    const bomb = await runProgram(sandbox, ['node', '-e', script]);
    expect(bomb.exitCode).not.toBe(0);
    expect((await runProgram(sandbox, ['echo', 'alive'])).stdout).toBe('alive\n');
  });

  test('a fork bomb stays in its sandbox', async () => {
    if (report().capabilities.processLimit === 'none') return;
    const sandbox = await start({ resources });
    const neighbour = await start();
    const bomb = runShell(sandbox, 'bomb() { bomb | bomb & }; bomb; sleep 2', { timeoutMs: 1_000 });
    expect((await runProgram(neighbour, ['echo', 'fine'])).stdout).toBe('fine\n');
    await bomb.catch(() => {});
    const count = Number((await runShell(neighbour, 'ls -d /proc/[0-9]* | wc -l')).stdout);
    expect(count).toBeLessThan(12);
    await sandbox.stop();
    expect(await sandbox.exited).toMatch(/stopped|ended/);
  });
};
