import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import { type ContractPart, runProgram, runShell } from './contract-suite.ts';

/** Long enough for a busy loop to use CPU time, if it ran. */
const pausedMs = 300;

export const pauseContract: ContractPart = (test, { start, report, newId }) => {
  const missing = (): boolean => (report().capabilities.pause ?? 'none') === 'none';

  test('a paused sandbox uses no CPU, and goes on where it was', async () => {
    if (missing()) return;
    const sandbox = await start();
    const script = 'for n in 1 2 3; do (while :; do :; done) & done; wait';
    const busy = runShell(sandbox, script).catch(() => null);
    const kernel = sandbox.kernel('node');
    let text = '';
    const onOutput = ({ data }: { readonly data: Buffer }): void => {
      text += data.toString('utf8');
    };
    await kernel.run({ code: 'var kept = 20', onOutput });
    await sandbox.pause?.();
    await sandbox.pause?.();
    const before = await sandbox.metrics();
    expect(before.diskBytes).toBeGreaterThan(0);
    await setTimeout(pausedMs);
    expect((await sandbox.metrics()).cpuPercent).toBeLessThan(1);
    await sandbox.resume?.();
    await sandbox.resume?.();
    await kernel.run({ code: 'kept + 1', onOutput });
    expect(text).toBe('21\n');
    await sandbox.stop();
    await busy;
  });

  test('calls to a paused sandbox wait until it is resumed', async () => {
    if (missing()) return;
    const sandbox = await start();
    await sandbox.pause?.();
    let settled = 0;
    const count = (): void => {
      settled += 1;
    };
    const calls = [
      runProgram(sandbox, ['echo', 'late'], { timeoutMs: 10_000 }),
      sandbox.writeFile('/workspace/late', Buffer.from('late')),
      sandbox.kernel('node').run({ code: '1', onOutput: () => {} }),
    ];
    for (const call of calls) call.then(count, count);
    const controller = new AbortController();
    const given = runProgram(sandbox, ['true'], { signal: controller.signal });
    controller.abort();
    expect((await given).kind).toBe('aborted');
    await setTimeout(pausedMs);
    expect(settled).toBe(0);
    await sandbox.resume?.();
    expect(await calls[0]).toMatchObject({ exitCode: 0, stdout: 'late\n' });
    expect(await calls[2]).toEqual({ kind: 'completed' });
    expect((await sandbox.readFile('/workspace/late')).toString()).toBe('late');
  });

  test('a paused sandbox can be stopped, keeps its files, and can be destroyed', async () => {
    if (missing()) return;
    const id = newId();
    const first = await start({ id });
    await runShell(first, 'echo kept >file');
    await first.pause?.();
    const waiting = runProgram(first, ['true']);
    waiting.catch(() => {});
    await first.stop();
    await expect(waiting).rejects.toMatchObject({ code: 'sandbox_ended' });
    await expect(first.pause?.()).rejects.toMatchObject({ code: 'sandbox_ended' });
    await expect(first.resume?.()).rejects.toMatchObject({ code: 'sandbox_ended' });
    const second = await start({ id });
    expect((await runShell(second, 'cat file')).stdout).toBe('kept\n');
    await second.pause?.();
    await second.stop({ keepLayer: false });
    expect(await second.exited).toBe('stopped');
  });
};
