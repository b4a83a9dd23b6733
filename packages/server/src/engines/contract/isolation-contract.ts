import { expect } from 'vitest';
import { type ContractPart, runProgram, runShell } from './contract-suite.ts';

export const isolationContract: ContractPart = (test, { start }) => {
  test('programs are an ordinary user without capabilities or a way to new ones', async () => {
    const sandbox = await start();
    const { stdout } = await runShell(
      sandbox,
      'id -u; id -g; id -G; grep -E "^(Cap|NoNewPrivs)" /proc/self/status',
    );
    const none = '0000000000000000';
    expect(stdout.replaceAll('\t', ' ').trim().split('\n')).toEqual([
      ...['1000', '1000', '1000'],
      ...['Inh', 'Prm', 'Eff', 'Bnd', 'Amb'].map((set) => `Cap${set}: ${none}`),
      'NoNewPrivs: 1',
    ]);
  });

  test('files of the host are not there', async () => {
    const sandbox = await start();
    const paths = [
      '/root',
      '/home',
      '/etc',
      '/var',
      '/run',
      '/srv',
      '/mnt',
      '/boot',
      '/sys',
      process.cwd(),
    ];
    const script = 'for d; do for e in "$d"/* "$d"/.[!.]*; do [ -e "$e" ] && echo "$e"; done; done';
    const { stdout } = await runProgram(sandbox, ['/bin/sh', '-c', script, 'sh', ...paths]);
    const allowed =
      /^\/(home\/sandbox|etc\/(alternatives|group|hostname|hosts|ld\.so\.cache|localtime|mtab|nsswitch\.conf|passwd|resolv\.conf|ssl))$/;
    expect(stdout.split('\n').filter((line) => line !== '' && !allowed.test(line))).toEqual([]);
  });

  test('processes of the host and of other sandboxes are not seen', async () => {
    const one = await start();
    const other = await start();
    await runShell(other, 'sleep 5555 </dev/null >/dev/null 2>&1 &');
    const { stdout } = await runShell(
      one,
      'cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" " "; echo $$',
    );
    expect(stdout).not.toContain('5555');
    expect(Number(stdout.trim().split(/\s+/).at(-1))).toBeLessThan(1000);
    expect((await runShell(one, 'kill -KILL 1; kill -0 1 && echo there')).stdout).toContain(
      'there',
    );
  });

  test('no network but the own loopback is there', async () => {
    const sandbox = await start();
    const { stdout } = await runShell(
      sandbox,
      'tail -n +3 /proc/net/dev | cut -d: -f1; tail -n +2 /proc/net/route',
    );
    expect(stdout.trim()).toBe('lo');
    const script =
      "require('net').connect(53,'192.0.2.1').on('error',(e)=>console.log(e.code)).on('connect',()=>console.log('out'))";
    expect((await runProgram(sandbox, ['node', '-e', script])).stdout).toBe('ENETUNREACH\n');
  });

  test('mounts and new user namespaces are refused', async () => {
    const sandbox = await start();
    for (const line of [
      'unshare -Ur true',
      'unshare -m true',
      'mount -t tmpfs none /mnt',
      'mount -o remount,rw /usr',
      'umount /usr',
      'mknod /tmp/disk b 8 0',
      'chroot / true',
      'echo 1 >/proc/sys/kernel/sysrq',
      'hostname other',
    ]) {
      expect({ line, ok: (await runShell(sandbox, line)).exitCode === 0 }).toEqual({
        line,
        ok: false,
      });
    }
  });

  test('a job of the sandbox cannot reach the line to the server', async () => {
    const sandbox = await start();
    const script = `
      for p in /proc/[0-9]*; do for f in "$p"/fd/*; do (echo 'exit 0' >"$f") 2>/dev/null; done; done
      for f in /.sandbox/io/* /.sandbox/scripts; do rm -rf "$f"; ln -s /etc/passwd "$f"; echo 'pid 1' >"$f"; done 2>/dev/null
      exit 3`;
    await runShell(sandbox, script, { timeoutMs: 5_000 }).catch(() => {});
    // Either it went unnoticed or the sandbox was ended; nobody else is touched.
    await Promise.race([
      sandbox.exited,
      runProgram(sandbox, ['echo', 'usable']).then(({ stdout }) => expect(stdout).toBe('usable\n')),
    ]).catch((error: unknown) => expect(error).toHaveProperty('code'));
    const neighbour = await start();
    expect((await runProgram(neighbour, ['echo', 'fine'])).stdout).toBe('fine\n');
  });
};
