import fc from 'fast-check';
import { expect } from 'vitest';
import { type ContractPart, runProgram, runShell } from './contract-suite.ts';

const mebibyte = 1_048_576;

export const execContract: ContractPart = (test, { start, shared }) => {
  test('arguments arrive unchanged, whatever is in them', async () => {
    const sandbox = await shared();
    const torture = [
      '',
      ' ',
      "'",
      '"',
      '\\',
      '$(id)',
      '`id`',
      '*',
      '~',
      '-n',
      '--',
      '\n',
      'a\nb',
      '\t',
      '#',
      '!',
      'é😀',
      '\u0001\u007f',
      'A=B',
      ';&|<>(){}[]?',
    ];
    const { stdout } = await runProgram(sandbox, ['printf', '[%s]', ...torture]);
    expect(stdout).toBe(torture.map((word) => `[${word}]`).join(''));
    const word = fc
      .string({ unit: 'grapheme', maxLength: 40 })
      .map((text) => text.replaceAll('\0', ''));
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 8 }), async (words) => {
        const printed = await runProgram(sandbox, ['printf', '%s\\0', ...words]);
        expect(printed.stdout).toBe(words.map((text) => `${text}\0`).join(''));
      }),
      { numRuns: 60 },
    );
  });

  test('a NUL in an argument and an empty command are refused', async () => {
    const sandbox = await shared();
    await expect(runProgram(sandbox, ['echo', 'a\0b'])).rejects.toMatchObject({
      code: 'invalid_request',
    });
    await expect(runProgram(sandbox, [])).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(runProgram(sandbox, ['echo', 'a'.repeat(200_000)])).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });

  test('a long command line arrives whole', async () => {
    const sandbox = await shared();
    const words = Array.from({ length: 10 }, (_, index) => String(index).repeat(100_000));
    expect((await runProgram(sandbox, ['printf', '%s', ...words])).stdout).toBe(words.join(''));
  });

  test('programs get the environment of the sandbox and of the call', async () => {
    const sandbox = await start({ environment: { ONE: "it's\n1", UID: '5', SHARED: 'sandbox' } });
    const environment = { TWO: '"2"', SHARED: 'call', PPID: '9' };
    const { stdout } = await runProgram(sandbox, ['env', '-0'], { environment });
    const variables = stdout.split('\0');
    expect(variables).toEqual(
      expect.arrayContaining(["ONE=it's\n1", 'UID=5', 'TWO="2"', 'SHARED=call', 'PPID=9']),
    );
    expect((await runShell(sandbox, 'echo "$SHARED-$TWO"')).stdout).toBe('sandbox-\n');
    await expect(
      runProgram(sandbox, ['true'], { environment: { 'A B': '1' } }),
    ).rejects.toMatchObject({ code: 'invalid_request' });
  });

  test('no name of a variable is in the way of the engine', async () => {
    const names = [
      'io',
      'id',
      'env',
      'setsid',
      'program',
      'streams',
      'IFS',
      'PS4',
      '_agent_io',
      'PATH',
    ];
    const environment = Object.fromEntries(names.map((name) => [name, '/usr/bin']));
    const sandbox = await start({ environment });
    const { stdout } = await runProgram(sandbox, ['env'], {
      environment: { LD_LIBRARY_PATH: '/x' },
    });
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining([...names.map((name) => `${name}=/usr/bin`), 'LD_LIBRARY_PATH=/x']),
    );
  });

  test('nothing of the server is in the environment', async () => {
    const sandbox = await shared();
    const names = (await runProgram(sandbox, ['env'])).stdout
      .split('\n')
      .map((line) => line.split('=')[0])
      .filter((name) => name !== '')
      .sort();
    expect(names).toEqual(['HOME', 'LANG', 'PATH', 'PWD', 'USER']);
  });

  test('a program starts in the workdir, or in the directory of the call', async () => {
    const sandbox = await start({ workdir: '/workspace/deep er' });
    expect((await runProgram(sandbox, ['pwd'])).stdout).toBe('/workspace/deep er\n');
    expect((await runProgram(sandbox, ['pwd'], { cwd: '/tmp' })).stdout).toBe('/tmp\n');
    await expect(runProgram(sandbox, ['pwd'], { cwd: '/missing' })).rejects.toMatchObject({
      code: 'workdir_missing',
    });
  });

  test('a missing program is told from one that fails', async () => {
    const sandbox = await shared();
    for (const argv of [['no-such-program'], ['/no/such'], ['/etc/passwd'], ['cd'], ['']]) {
      await expect(runProgram(sandbox, argv)).rejects.toMatchObject({ code: 'command_not_found' });
    }
    expect((await runShell(sandbox, 'exit 127')).exitCode).toBe(127);
  });

  test('exit codes and signals are reported', async () => {
    const sandbox = await shared();
    for (const code of [0, 1, 7, 255]) {
      expect((await runShell(sandbox, `exit ${code}`)).exitCode).toBe(code);
    }
    const signals = { HUP: 1, INT: 2, QUIT: 3, KILL: 9, TERM: 15 };
    for (const [name, number] of Object.entries(signals)) {
      expect((await runShell(sandbox, `kill -${name} $$`)).exitCode).toBe(128 + number);
    }
  });

  test('stdout and stderr are told apart and keep their order', async () => {
    const sandbox = await shared();
    const result = await runShell(
      sandbox,
      'printf out1; printf err1 >&2; printf out2; printf err2 >&2',
    );
    expect(result).toMatchObject({ stdout: 'out1out2', stderr: 'err1err2' });
  });

  test('standard input is empty without any, and arrives whole with one', async () => {
    const sandbox = await shared();
    expect((await runProgram(sandbox, ['wc', '-c'])).stdout.trim()).toBe('0');
    const data = Buffer.alloc(3 * mebibyte, 'sandgate\n');
    expect((await runProgram(sandbox, ['wc', '-c'], { stdin: data })).stdout.trim()).toBe(
      String(data.length),
    );
    async function* pieces(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('one ');
      yield Buffer.from('two');
    }
    expect((await runProgram(sandbox, ['cat'], { stdin: pieces() })).stdout).toBe('one two');
    const ignored = await runShell(sandbox, 'exec <&-; echo done', { stdin: data });
    expect(ignored).toMatchObject({ exitCode: 0, stdout: 'done\n' });
  });

  test('a program ends although its input hangs', async () => {
    const sandbox = await shared();
    async function* hanging(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('first\n');
      await new Promise(() => {});
    }
    const result = await runProgram(sandbox, ['head', '-n', '1'], { stdin: hanging() });
    expect(result).toMatchObject({ exitCode: 0, stdout: 'first\n' });
  });

  test('a source of input is told when the program ends before it has taken everything', async () => {
    const sandbox = await shared();
    const told = Promise.withResolvers<string>();
    async function* large(): AsyncGenerator<Uint8Array> {
      try {
        yield Buffer.alloc(3 * mebibyte);
      } finally {
        told.resolve('told');
      }
    }
    await runProgram(sandbox, ['head', '-c', '1'], { stdin: large() });
    expect(await told.promise).toBe('told');
  });

  test('ten megabytes of output arrive whole, and wait for a slow reader', async () => {
    const sandbox = await shared();
    let held = 0;
    let bytes = 0;
    let concurrent = 0;
    const outcome = await sandbox.exec({
      argv: ['head', '-c', String(10 * mebibyte), '/dev/zero'],
      onOutput: async ({ data }) => {
        concurrent += 1;
        held = Math.max(held, concurrent);
        await new Promise((resolve) => setImmediate(resolve));
        bytes += data.length;
        concurrent -= 1;
      },
    });
    expect(outcome).toEqual({ kind: 'exited', exitCode: 0 });
    expect({ bytes, held }).toEqual({ bytes: 10 * mebibyte, held: 1 });
  });

  test('a reader that fails ends the program', async () => {
    const sandbox = await shared();
    const failing = sandbox.exec({
      argv: ['yes'],
      onOutput: () => {
        throw new Error('reader failed');
      },
    });
    await expect(failing).rejects.toThrow('reader failed');
    await expectNone(sandbox, 'yes');
  });

  test('a timeout kills the program and what it started', async () => {
    const sandbox = await shared();
    const script = 'trap "" TERM INT HUP; sleep 1234 & sleep 1234; echo never';
    const result = await runShell(sandbox, `echo before; ${script}`, { timeoutMs: 150 });
    expect(result).toMatchObject({ kind: 'timed_out', stdout: 'before\n' });
    await expectNone(sandbox, 'sleep 1234');
  });

  test('an abort kills the program and what it started', async () => {
    const sandbox = await shared();
    const controller = new AbortController();
    const outcome = await sandbox.exec({
      argv: ['/bin/sh', '-c', 'echo up; sleep 4321 & sleep 4321'],
      signal: controller.signal,
      onOutput: () => controller.abort(),
    });
    expect(outcome).toEqual({ kind: 'aborted' });
    expect((await runProgram(sandbox, ['true'], { signal: controller.signal })).kind).toBe(
      'aborted',
    );
    await expectNone(sandbox, 'sleep 4321');
  });

  test('a process left behind does not hold a command back', async () => {
    const sandbox = await start();
    const result = await runShell(sandbox, '(while :; do echo late; sleep 1; done) & echo now');
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toContain('now\n');
    expect((await runProgram(sandbox, ['echo', 'next'])).stdout).toBe('next\n');
  });

  test('fifty programs run at once, each with its own output', async () => {
    const sandbox = await start({
      resources: { memoryMib: 512, cpus: 2, diskMib: 64, maxProcesses: 400 },
    });
    const numbers = Array.from({ length: 50 }, (_, index) => String(index));
    const results = await Promise.all(
      numbers.map((number) =>
        runProgram(sandbox, ['/bin/sh', '-c', 'sleep 0.1; echo "$0"', number]),
      ),
    );
    expect(results.map(({ stdout }) => stdout)).toEqual(numbers.map((number) => `${number}\n`));
  });
};

async function expectNone(
  sandbox: Parameters<typeof runShell>[0],
  commandLine: string,
): Promise<void> {
  const script = `for p in /proc/[0-9]*; do tr '\\0' ' ' <"$p/cmdline"; echo; done 2>/dev/null | grep -c "^$0"`;
  const { stdout } = await runProgram(sandbox, ['/bin/sh', '-c', script, commandLine]);
  expect(stdout).toBe('0\n');
}
