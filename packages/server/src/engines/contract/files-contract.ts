import { expect } from 'vitest';
import { type ContractPart, runProgram, runShell } from './contract-suite.ts';

export const filesContract: ContractPart = (test, { start, shared, engine, newId }) => {
  test('a file is read as it was written, with its mode', async () => {
    const sandbox = await shared();
    const data = Buffer.from([0, 255, 10, 13, 0, 39]);
    await sandbox.writeFile("/workspace/it's a\nfile", data, { mode: 0o640 });
    expect(await sandbox.readFile("/workspace/it's a\nfile")).toEqual(data);
    const { stdout } = await runShell(sandbox, 'stat -c %a /workspace/it*');
    expect(stdout).toBe('640\n');
    await sandbox.writeFile('/workspace/-n', Buffer.from('dash'));
    expect((await sandbox.readFile('/workspace/-n')).toString()).toBe('dash');
    const large = Buffer.alloc(2_000_000, 'x');
    await sandbox.writeFile('/workspace/large', large);
    expect((await sandbox.readFile('/workspace/large')).equals(large)).toBe(true);
  });

  test('a file that is not there, no file, or too large is refused', async () => {
    const sandbox = await shared();
    await expect(sandbox.readFile('/workspace/none')).rejects.toMatchObject({
      code: 'file_not_found',
    });
    for (const path of ['/workspace', '/dev/zero']) {
      await expect(sandbox.readFile(path)).rejects.toMatchObject({ code: 'file_conflict' });
    }
    for (const path of ['relative', '/nul\0', '/workspace/']) {
      await expect(sandbox.readFile(path)).rejects.toMatchObject({ code: 'invalid_request' });
    }
    await sandbox.writeFile('/workspace/five', Buffer.from('12345'));
    expect(await sandbox.readFile('/workspace/five', { maxBytes: 5 })).toHaveLength(5);
    await expect(sandbox.readFile('/workspace/five', { maxBytes: 4 })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    await expect(sandbox.writeFile('/none/file', Buffer.alloc(0))).rejects.toMatchObject({
      code: 'file_not_found',
    });
    await expect(sandbox.writeFile('/usr/file', Buffer.alloc(0))).rejects.toMatchObject({
      code: 'file_denied',
    });
  });

  test('links and dots lead nowhere but to the own files of the sandbox', async () => {
    const sandbox = await shared();
    await runShell(
      sandbox,
      'ln -s /etc/passwd p; ln -s ../../../../etc/passwd q; ln -s / r; ln -s /workspace/real l',
    );
    const inside = (await sandbox.readFile('/etc/passwd')).toString();
    expect(inside).toMatch(/^sandbox:x:1000:1000:[^\n]*\n$/);
    for (const path of [
      '/workspace/p',
      '/workspace/q',
      '/workspace/r/etc/passwd',
      '/../../etc/passwd',
    ]) {
      expect((await sandbox.readFile(path)).toString()).toBe(inside);
    }
    await sandbox.writeFile('/workspace/l', Buffer.from('through'));
    expect((await sandbox.readFile('/workspace/real')).toString()).toBe('through');
    expect((await runProgram(sandbox, ['readlink', 'l'])).stdout).toBe('/workspace/real\n');
  });

  test('scripts are there to be run', async () => {
    const sandbox = await start({ scripts: { greet: '#!/bin/sh\necho "hello $1"\n' } });
    const { stdout } = await runProgram(sandbox, ['/.sandbox/scripts/greet', 'you']);
    expect(stdout).toBe('hello you\n');
    await expect(start({ scripts: { '../x': '' } })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });

  test('what was written is there again at the next start', async () => {
    const id = newId();
    const first = await start({ id });
    const made = await runShell(
      first,
      `mkdir -p d/e /opt/mine /etc/conf.d && echo 1 >d/e/f && ln -s e d/link && ln d/e/f hard &&
       chmod 750 d && chmod 400 d/e/f && mkfifo pipe && echo home >"$HOME/.rc" && echo opt >/opt/mine/x &&
       mkdir ro && echo x >ro/x && chmod 500 ro && touch -d 2001-02-03T04:05:06Z d/e && echo gone >/tmp/t &&
       printf 'n' >"$(printf 'new\\nline')"`,
    );
    expect(made).toMatchObject({ exitCode: 0, stderr: '' });
    await first.stop();
    const second = await start({ id });
    const listing = await runShell(
      second,
      `cat d/link/f "$HOME/.rc" /opt/mine/x ro/x; stat -c '%a %F' d d/e/f d/link pipe ro; stat -c %Y d/e;
       stat -c %h hard; ls /tmp; ls new*; id -un`,
    );
    expect(listing.stdout).toBe(
      [
        ...['1', 'home', 'opt', 'x', '750 directory', '400 regular file', '777 symbolic link'],
        ...['644 fifo', '500 directory', '981173106', '2', 'new', 'line', 'sandbox', ''],
      ].join('\n'),
    );
    await second.stop();
    await engine().removeLayer(id);
    const third = await start({ id });
    expect((await runProgram(third, ['ls', '-A'])).stdout).toBe('');
  });

  test('files of the system that the sandbox may change are there again too', async () => {
    const id = newId();
    const first = await start({ id });
    expect((await runShell(first, 'echo extra >>/etc/hosts')).exitCode).toBe(0);
    await first.stop();
    const second = await start({ id });
    expect((await runProgram(second, ['tail', '-n', '1', '/etc/hosts'])).stdout).toBe('extra\n');
  });

  test('files with holes are kept, and take no more than they hold', async () => {
    const id = newId();
    const first = await start({ id });
    const made = await runShell(first, 'for i in 1 2 3 4 5 6 7 8; do truncate -s 60M hole$i; done');
    expect(made.exitCode).toBe(0);
    await first.stop();
    const second = await start({ id });
    const { stdout } = await runShell(second, 'stat -c %s hole8; du -sk . | cut -f1');
    expect(stdout).toMatch(/^62914560\n\d{1,3}\n$/);
  });

  test('removing a layer of a running sandbox is refused', async () => {
    const sandbox = await start();
    await expect(engine().removeLayer(sandbox.id)).rejects.toMatchObject({ code: 'sandbox_busy' });
  });
};
