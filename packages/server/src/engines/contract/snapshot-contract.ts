import { expect } from 'vitest';
import { type ContractPart, runProgram, runShell } from './contract-suite.ts';

export const snapshotContract: ContractPart = (test, { start, engine, report, newId }) => {
  const missing = (): boolean => report().capabilities.snapshots !== true;

  test('a sandbox starts with the files of a snapshot, and has its own from then on', async () => {
    if (missing()) return;
    const [snapshot, copyId] = [newId(), newId()];
    const original = await start();
    const script =
      'echo one >file; chmod 640 file; ln -s file link; mkdir -p ~/d; echo home >~/d/x; echo etc >/etc/own';
    await runShell(original, script);
    let counted = 0;
    const onBytes = (bytes: number): void => {
      counted += bytes;
    };
    const { sizeBytes } = (await original.snapshot?.(snapshot, { onBytes })) ?? { sizeBytes: 0 };
    expect(sizeBytes).toBe(counted);
    expect((await engine().snapshots?.sizes())?.get(snapshot)).toBe(sizeBytes);
    await runShell(original, 'echo two >file');
    const copy = await start({ id: copyId, fromSnapshot: snapshot });
    const look = 'cat file link ~/d/x /etc/own; stat -c %a file; hostname';
    const seen = 'one\none\nhome\netc\n640\ncontract\n';
    expect((await runShell(copy, look)).stdout).toBe(seen);
    await runShell(copy, 'echo three >file; rm ~/d/x');
    await copy.stop();
    const again = await start({ id: copyId, fromSnapshot: snapshot });
    expect((await runShell(again, 'cat file; ls ~/d')).stdout).toBe('three\n');
    expect((await runShell(original, 'cat file')).stdout).toBe('two\n');
    const other = await start({ fromSnapshot: snapshot });
    expect((await runShell(other, 'cat file')).stdout).toBe('one\n');
    await engine().snapshots?.remove(snapshot);
  });

  test('everything is held still while a snapshot is made, and goes on after it', async () => {
    if (missing()) return;
    const snapshot = newId();
    const original = await start();
    // Whoever sees a number in the second file without it in the first has seen them at two times.
    const script =
      'mkdir d; i=0; while :; do i=$((i+1)); echo $i >d/$i; ln d/$i d/done-$i; rm -f d/$((i-50)) d/done-$((i-50)); done';
    const writer = runShell(original, script).catch(() => null);
    await runShell(original, 'until [ -e d/done-60 ]; do sleep 0.05; done');
    await original.snapshot?.(snapshot);
    const count = 'ls d | sort -V | tail -n 1; ls d | grep -c done';
    const first = Number((await runShell(original, count)).stdout.split('\n')[0]?.slice(5));
    await runShell(original, `until [ -e d/done-$((${first} + 60)) ]; do sleep 0.05; done`);
    const copy = await start({ fromSnapshot: snapshot });
    const { stdout } = await runShell(
      copy,
      'plain=$(ls d | grep -vc done); done=$(ls d | grep -c done); echo $((plain - done))',
    );
    expect(['-1\n', '0\n', '1\n']).toContain(stdout);
    await engine().snapshots?.remove(snapshot);
    await original.stop({ keepLayer: false });
    await writer;
  });

  test('a snapshot of a paused sandbox leaves it paused', async () => {
    if (missing() || (report().capabilities.pause ?? 'none') === 'none') return;
    const snapshot = newId();
    const original = await start();
    await runShell(original, 'echo here >file');
    const kernel = original.kernel('node');
    let text = '';
    const onOutput = ({ data }: { readonly data: Buffer }): void => {
      text += data.toString('utf8');
    };
    await kernel.run({ code: 'var kept = 41', onOutput });
    await original.pause?.();
    let settled = false;
    const waiting = runProgram(original, ['echo', 'late']).finally(() => {
      settled = true;
    });
    await original.snapshot?.(snapshot);
    const copy = await start({ fromSnapshot: snapshot });
    expect((await runShell(copy, 'cat file')).stdout).toBe('here\n');
    expect(settled).toBe(false);
    await original.resume?.();
    expect((await waiting).stdout).toBe('late\n');
    await kernel.run({ code: 'kept + 1', onOutput });
    expect(text).toBe('42\n');
    await engine().snapshots?.remove(snapshot);
  });

  test('a snapshot is there whole or not at all', async () => {
    if (missing()) return;
    const [snapshot, removed] = [newId(), newId()];
    const original = await start();
    await runShell(original, 'head -c 3000000 /dev/urandom >file');
    const full = new Error('full');
    const onBytes = (): void => {
      throw full;
    };
    await expect(original.snapshot?.(snapshot, { onBytes })).rejects.toBe(full);
    expect((await engine().snapshots?.sizes())?.has(snapshot)).toBe(false);
    await original.snapshot?.(snapshot);
    await expect(original.snapshot?.(snapshot)).rejects.toMatchObject({ code: 'snapshot_exists' });
    await original.snapshot?.(removed);
    await engine().snapshots?.remove(removed);
    await engine().snapshots?.remove(removed);
    await expect(start({ fromSnapshot: removed })).rejects.toMatchObject({
      code: 'snapshot_not_found',
    });
    await original.stop();
    await expect(original.snapshot?.(newId())).rejects.toMatchObject({ code: 'sandbox_ended' });
    await engine().snapshots?.remove(snapshot);
  });
};
