import { type EngineVolumes, SandgateError, type VolumeMount } from '@sandgate/core';
import { expect } from 'vitest';
import { type ContractPart, runProgram, runShell } from './contract-suite.ts';

const at = (volumeId: string, guestPath = '/data', readOnly = false): VolumeMount => ({
  ...{ volumeId, guestPath, readOnly },
});

export const volumeContract: ContractPart = (test, { start, engine, report, newId }) => {
  const missing = (): boolean => (report().capabilities.volumes ?? 'none') === 'none';
  const volumes = (): EngineVolumes => {
    const found = engine().volumes;
    if (found === undefined) throw new Error('the engine has no volumes');
    return found;
  };

  async function withVolumes(
    sizesMib: readonly number[],
    use: (...ids: string[]) => Promise<void>,
  ): Promise<void> {
    const ids = sizesMib.map(() => newId());
    try {
      for (const [index, id] of ids.entries()) {
        await volumes().create(id, { sizeMib: sizesMib[index] ?? 0 });
      }
      await use(...ids);
    } finally {
      for (const id of ids) await volumes().remove(id);
    }
  }

  test('a volume outlives its sandboxes, also those that are destroyed', async () => {
    if (missing()) return;
    await withVolumes([32], async (id) => {
      const first = await start({ volumes: [at(id)] });
      const script =
        'cd /data; ls -A; mkdir -p a/b; echo kept >a/b/file; chmod 600 a/b/file; ln -s /etc/passwd link; id -u';
      expect((await runShell(first, script)).stdout).toBe('1000\n');
      await first.stop({ keepLayer: false });
      const second = await start({ volumes: [at(id, '/srv/deep/place')] });
      const look = 'cd /srv/deep/place; cat a/b/file; readlink link; echo more >>a/b/file';
      expect((await runShell(second, look)).stdout).toBe('kept\n/etc/passwd\n');
      await second.stop();
      const third = await start({ volumes: [at(id)], workdir: '/data/a/new' });
      expect((await runShell(third, 'pwd; cat ../b/file')).stdout).toBe(
        '/data/a/new\nkept\nmore\n',
      );
      await third.stop();
    });
  });

  test('a volume is no larger than its size, and may hold files larger than the disk', async () => {
    if (missing()) return;
    await withVolumes([48], async (id) => {
      const resources = { memoryMib: 512, cpus: 1, diskMib: 16, maxProcesses: 60 };
      const sandbox = await start({ volumes: [at(id)], resources });
      const large = await runShell(sandbox, 'head -c 30000000 /dev/zero >/data/large && echo fits');
      expect(large.stdout).toBe('fits\n');
      const over = await runShell(sandbox, 'head -c 60000000 /dev/zero >/data/over');
      expect(over.stderr).toContain('No space left on device');
      expect((await runShell(sandbox, 'rm /data/*; ls -A /data')).stdout).toBe('');
      await sandbox.stop();
      expect((await volumes().list()).get(id)).toMatchObject({ sizeMib: 48 });
    });
  });

  test('a volume is attached to one sandbox at a time', async () => {
    if (missing()) return;
    await withVolumes([16], async (id) => {
      const first = await start({ volumes: [at(id)] });
      const refused = { code: 'volume_attached' };
      await expect(start({ volumes: [at(id)] })).rejects.toMatchObject(refused);
      await expect(volumes().remove(id)).rejects.toMatchObject(refused);
      await runShell(first, 'echo here >/data/file; kill -KILL -1').catch(() => {});
      expect(await first.exited).toBe('ended');
      const second = await start({ volumes: [at(id)] });
      expect((await runProgram(second, ['echo', 'attached'])).stdout).toBe('attached\n');
      await second.stop();
    });
  });

  test('several volumes belong to one sandbox, whoever had them before', async () => {
    if (missing()) return;
    await withVolumes([16, 16], async (one, other) => {
      const first = await start({ volumes: [at(other)] });
      await runShell(first, 'mkdir -m 700 /data/d; echo alone >/data/d/file');
      await first.stop();
      const both = await start({ volumes: [at(one, '/one'), at(other, '/other')] });
      const script =
        'cat /other/d/file; echo both >/other/d/file; echo one >/one/file; cat /one/file';
      expect((await runShell(both, script)).stdout).toBe('alone\none\n');
      await both.stop();
      const last = await start({ volumes: [at(other)] });
      expect((await runShell(last, 'cat /data/d/file; echo x >>/data/d/file')).stdout).toBe(
        'both\n',
      );
      await last.stop();
    });
  });

  test('a volume can be attached for reading only', async () => {
    if (missing()) return;
    await withVolumes([16], async (id) => {
      const writer = await start({ volumes: [at(id)] });
      await runShell(writer, 'echo read >/data/file');
      await writer.stop();
      const reader = await start({ volumes: [at(id, '/data', true)] });
      const { stdout } = await runShell(
        reader,
        'cat /data/file; (echo x >/data/file) 2>/dev/null || echo refused; (: >/data/new) 2>/dev/null || echo refused',
      );
      expect(stdout).toBe('read\nrefused\nrefused\n');
      await reader.stop();
    });
  });

  test('a snapshot does not hold what is in a volume', async () => {
    if (missing() || report().capabilities.snapshots !== true) return;
    const snapshot = newId();
    await withVolumes([16], async (id) => {
      const original = await start({ volumes: [at(id)] });
      await runShell(original, 'echo volume >/data/file; echo root >/workspace/file');
      await original.snapshot?.(snapshot);
      const copy = await start({ fromSnapshot: snapshot });
      expect((await runShell(copy, 'cat /workspace/file; ls -A /data')).stdout).toBe('root\n');
      await engine().snapshots?.remove(snapshot);
      await original.stop();
    });
  });

  test('volumes are refused where they cannot be', async () => {
    if (missing()) return;
    await expect(start({ volumes: [at(newId())] })).rejects.toMatchObject({
      code: 'volume_not_found',
    });
    for (const sizeMib of [0, -1, 1.5]) {
      const made = volumes().create(newId(), { sizeMib });
      await expect(made).rejects.toMatchObject({ code: 'invalid_request' });
    }
    const huge = volumes().create(newId(), { sizeMib: 1_000_000_000 });
    await expect(huge).rejects.toMatchObject({ code: 'disk_full' });
    await withVolumes([16], async (id) => {
      await expect(volumes().create(id, { sizeMib: 16 })).rejects.toMatchObject({
        code: 'volume_exists',
      });
      for (const guestPath of ['/', '/proc/x', '/usr', '/.sandbox/io', '/a/../usr', 'x']) {
        const started = start({ volumes: [at(id, guestPath)] });
        await expect(started).rejects.toMatchObject({ code: 'volume_refused' });
      }
      const twice = start({ volumes: [at(id, '/one'), at(id, '/two')] });
      await expect(twice).rejects.toBeInstanceOf(SandgateError);
      const sandbox = await start({ volumes: [at(id)] });
      await sandbox.stop();
    });
  });
};
