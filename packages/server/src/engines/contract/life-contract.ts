import { expect } from 'vitest';
import { type ContractPart, runProgram, runShell } from './contract-suite.ts';

export const lifeContract: ContractPart = (test, { start, engine, report, newId }) => {
  test('the report names what can be started', async () => {
    expect(report().usable).toBe(true);
    const names = report().templates.map(({ name }) => name);
    expect(names).toContain('microsandbox/node');
    for (const image of names) {
      const sandbox = await start({ image });
      expect((await runProgram(sandbox, ['true'])).exitCode).toBe(0);
    }
    await expect(start({ image: 'nobody/none' })).rejects.toMatchObject({ code: 'image_unknown' });
  });

  test('interpreters of a template have their names', async () => {
    for (const image of ['node', 'docker.io/microsandbox/node:latest', 'microsandbox/node']) {
      const sandbox = await start({ image });
      expect((await runProgram(sandbox, ['node', '-p', '1+1'])).stdout).toBe('2\n');
    }
    const [python] = report().templates.filter(({ name }) => name === 'microsandbox/python');
    if (python === undefined) return;
    const sandbox = await start({ image: 'python' });
    for (const name of ['python', 'python3']) {
      expect((await runProgram(sandbox, [name, '-c', 'print(1+1)'])).stdout).toBe('2\n');
    }
  });

  test('twenty sandboxes start at once', async () => {
    const sandboxes = await Promise.all(Array.from({ length: 20 }, () => start()));
    const outputs = await Promise.all(
      sandboxes.map((sandbox) => runProgram(sandbox, ['echo', sandbox.id])),
    );
    expect(outputs.map(({ stdout }) => stdout)).toEqual(sandboxes.map(({ id }) => `${id}\n`));
  });

  test('the same sandbox cannot run twice', async () => {
    const sandbox = await start();
    await expect(start({ id: sandbox.id })).rejects.toMatchObject({ code: 'sandbox_busy' });
  });

  test('stop ends every process and can be repeated', async () => {
    const sandbox = await start();
    const running = runProgram(sandbox, ['sleep', '1000']);
    await runShell(sandbox, 'setsid sleep 1000 </dev/null >/dev/null 2>&1 &');
    await Promise.all([sandbox.stop(), sandbox.stop()]);
    await sandbox.stop();
    expect((await running).kind).toBe('sandbox_ended');
    expect(await sandbox.exited).toBe('stopped');
    await expect(runProgram(sandbox, ['true'])).rejects.toMatchObject({ code: 'sandbox_ended' });
    await expect(sandbox.readFile('/etc/passwd')).rejects.toMatchObject({ code: 'sandbox_ended' });
  });

  test('a sandbox that ends by itself says so, and can be started again', async () => {
    const id = newId();
    const sandbox = await start({ id });
    const running = runProgram(sandbox, ['sleep', '1000']);
    await runShell(sandbox, 'kill -KILL -1');
    expect(await sandbox.exited).toBe('ended');
    expect((await running).kind).toBe('sandbox_ended');
    const again = await start({ id });
    expect((await runProgram(again, ['echo', 'up'])).stdout).toBe('up\n');
  });

  test('kernels of unknown languages are refused', async () => {
    const sandbox = await start();
    const languages: readonly string[] = report().templates.flatMap(
      (template) => template.languages,
    );
    for (const language of ['python', 'node'] as const) {
      if (languages.includes(language)) expect(sandbox.kernel(language).language).toBe(language);
      else expect(() => sandbox.kernel(language)).toThrow();
    }
  });

  test('a kernel keeps its state and shares the files of the sandbox', async () => {
    const sandbox = await start();
    for (const language of report().templates[0]?.languages ?? []) {
      const kernel = sandbox.kernel(language);
      let text = '';
      const onOutput = ({ data }: { readonly data: Buffer }): void => {
        text += data.toString('utf8');
      };
      expect(await kernel.run({ code: 'x = 20', onOutput })).toEqual({ kind: 'completed' });
      text = '';
      expect(await kernel.run({ code: 'x + 1', onOutput })).toEqual({ kind: 'completed' });
      expect(text).toBe('21\n');
      const loop = language === 'python' ? 'while True: pass' : 'for (;;) {}';
      expect((await kernel.run({ code: loop, timeoutMs: 300, onOutput })).kind).toBe('timed_out');
    }
    await sandbox.stop();
  });

  test('a kernel leads a session, and what it starts can be interrupted', async () => {
    const sandbox = await start();
    const script =
      'set -- $(cat /proc/$PPID/stat); echo $(($6 == $PPID)); grep SigIgn /proc/self/status';
    for (const language of report().templates[0]?.languages ?? []) {
      const command = JSON.stringify(script);
      const code =
        language === 'python'
          ? `import os; _ = os.system(${command})`
          : `void child_process.execSync(${command}, { stdio: 'inherit' })`;
      let text = '';
      const onOutput = ({ data }: { readonly data: Buffer }): void => {
        text += data.toString('utf8');
      };
      expect(await sandbox.kernel(language).run({ code, onOutput })).toEqual({ kind: 'completed' });
      const [leads, ignored = ''] = text.split('\n');
      expect(leads).toBe('1');
      // SIGINT is bit 1, SIGQUIT bit 2 (proc(5)).
      expect(Number.parseInt(ignored.replace('SigIgn:', ''), 16) & 0b110).toBe(0);
    }
  });

  test('metrics say what is used', async () => {
    const sandbox = await start();
    await runShell(
      sandbox,
      'head -c 5000000 /dev/zero >big; sleep 100 </dev/null >/dev/null 2>&1 &',
    );
    const metrics = await sandbox.metrics();
    expect(metrics.diskBytes).toBeGreaterThan(5_000_000);
    expect(metrics.cpuPercent).toBeGreaterThanOrEqual(0);
    if (report().capabilities.memoryLimit === 'cgroup') {
      expect(metrics.memoryBytes).toBeGreaterThan(5_000_000);
      expect(metrics.processes).toBeGreaterThan(1);
    }
  });

  test('reconcile leaves running sandboxes alone', async () => {
    const sandbox = await start();
    await engine().reconcile();
    expect((await runProgram(sandbox, ['echo', 'here'])).stdout).toBe('here\n');
  });
};
