import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { startKernelInTest } from './start-kernel-in-test.ts';

const completed = { kind: 'completed' };
const shared = startKernelInTest('python');
const { run } = shared;
afterAll(() => shared.close());

/** For code that ends or blocks its interpreter. */
async function inOwnKernel(test: (own: typeof shared) => Promise<void>): Promise<void> {
  const own = startKernelInTest('python');
  try {
    await test(own);
  } finally {
    await own.close();
  }
}

describe('what a run prints', () => {
  test('state is kept and the last expression alone is echoed', async () => {
    expect(await run('x = 41')).toMatchObject({ outcome: completed, stdout: '' });
    expect(await run('x\nx + 1')).toMatchObject({ stdout: '42\n', stderr: '' });
    expect(await run('_ + 1')).toMatchObject({ stdout: '43\n' });
    expect(await run('None')).toMatchObject({ stdout: '' });
  });

  test('an unindented line may follow a for block', async () => {
    const { stdout } = await run("for i in range(2):\n  print(i)\nprint('after')");
    expect(stdout).toBe('0\n1\nafter\n');
  });

  test('a def may contain blank lines', async () => {
    const { stdout } = await run('def f():\n    a = 1\n\n    return a\n\nf()');
    expect(stdout).toBe('1\n');
  });

  test('text without a newline ends where it ends', async () => {
    expect(await run("print('x', end='')")).toMatchObject({ outcome: completed, stdout: 'x' });
  });

  test('nothing runs after a failing line, and the traceback shows user code alone', async () => {
    const { outcome, stdout, stderr } = await run("def g():\n  return 1/0\ng()\nprint('no')");
    expect(outcome).toEqual({
      kind: 'raised',
      errorName: 'ZeroDivisionError',
      errorMessage: 'division by zero',
    });
    expect(stdout).toBe('');
    expect(stderr).toContain('return 1/0');
    expect(stderr).toMatch(/^Traceback \(most recent call last\):\n {2}File "<run \d+>", line 3/);
    expect(stderr).not.toContain('kernel');
  });

  test('source lines of earlier runs appear in tracebacks', async () => {
    await run('def later(): raise KeyError("k")  # the culprit');
    expect((await run('later()')).stderr).toContain('# the culprit');
  });

  test('a syntax error lets nothing run', async () => {
    const { outcome, stdout, stderr } = await run("print('no')\nfoo(");
    expect(outcome).toMatchObject({ kind: 'raised', errorName: 'SyntaxError' });
    expect(stdout).toBe('');
    expect(stderr).not.toContain('kernel');
  });

  test('an unclosed string is an error and not a wait', async () => {
    expect((await run("'abc")).outcome).toMatchObject({ errorName: 'SyntaxError' });
  });

  test('input() finds an empty standard input', async () => {
    expect((await run('input()')).outcome).toMatchObject({ errorName: 'EOFError' });
    expect((await run('import subprocess; subprocess.run(["cat"]).returncode')).stdout).toBe('0\n');
  });

  test('await works at the top level', async () => {
    const { stdout } = await run('import asyncio\nawait asyncio.sleep(0.001)\n5');
    expect(stdout).toBe('5\n');
    expect((await run('asyncio.run(asyncio.sleep(0, 6))')).stdout).toBe('6\n');
  });

  test('output of subprocesses and forks belongs to the run', async () => {
    expect((await run('import os; os.system("echo sub")')).stdout).toBe('sub\n0\n');
    const fork = 'p = os.fork()\nif p: os.waitpid(p, 0)\nprint("both")';
    expect((await run(fork)).stdout).toBe('both\nboth\n');
    const pool = 'import multiprocessing as m\nwith m.Pool(1) as p: print(p.map(abs, [-1]))';
    expect((await run(pool)).stdout).toBe('[1]\n');
  });

  test('classes are found where pickle looks for them', async () => {
    const code = 'import pickle\nclass A: pass\ntype(pickle.loads(pickle.dumps(A()))) is A';
    expect((await run(code)).stdout).toBe('True\n');
    expect((await run('__name__, __import__("sys").argv')).stdout).toBe("('__main__', [''])\n");
  });

  test('future imports hold for later runs', async () => {
    await run('from __future__ import annotations');
    expect((await run('def h(a: nowhere): pass\nh.__annotations__')).stdout).toBe(
      "{'a': 'nowhere'}\n",
    );
  });

  test('invalid UTF-8 and large output arrive byte for byte', async () => {
    const bytes = await run(
      String.raw`import sys; n = sys.stdout.buffer.write(b'\xff\xfe\x00\xc3')`,
    );
    expect([...bytes.stdoutBytes]).toEqual([0xff, 0xfe, 0, 0xc3]);
    const large = await run(
      "sys.stdout.write('é' * 500_000) and None; print('end', file=sys.stderr)",
    );
    expect(large.stdoutBytes.length).toBe(1_000_000);
    expect(large.stderr).toBe('end\n');
  });

  test('any sequence of writes comes back as it was', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 8 }),
        async (texts) => {
          const { stdout } = await run(`for t in ${JSON.stringify(texts)}: print(t, end='')`);
          expect(stdout).toBe(texts.join(''));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('what a thread prints late belongs to no later run', async () => {
    await run(
      'import threading, time\ngo = threading.Event()\ndone = threading.Event()\ndef work():\n  go.wait(); print("late"); done.set()\nthreading.Thread(target=work).start()',
    );
    expect((await run('go.set(); done.wait(); print("mine")')).stdout).toBe(
      'True\nmine\n'.slice(5),
    );
  });

  test('a pool made by an earlier run prints for the run that uses it', async () => {
    await run('from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(1)');
    await run('pool.submit(int).result()');
    expect((await run('pool.submit(print, "now").result()')).stdout).toBe('now\n');
  });
});

describe('code that harms its own kernel', () => {
  test.each([
    [
      'sys.stdout = None',
      'import sys; old = sys.stdout; sys.stdout = None; print(1)',
      'sys.stdout = old; 1',
    ],
    ['a closed stdout', 'import os; os.close(1)', '1'],
    [
      'closed streams',
      'import sys; sys.stdout.close()',
      'sys.stdout = open(1, "w", closefd=False); 1',
    ],
  ])('%s does not hide the end of a run', (_name, harm, after) =>
    inOwnKernel(async (own) => {
      expect((await own.run(harm)).outcome.kind).toBe('completed');
      expect(await own.run(after)).toMatchObject({ outcome: completed, stdout: '1\n' });
    }),
  );

  test('subprocesses and descriptor 3 do not reach requests and replies', async () => {
    const code =
      'import os, subprocess\nls = subprocess.run(["ls", "/proc/self/fd"], close_fds=False, capture_output=True)\n[fd for fd in map(int, ls.stdout.split()) if fd < 100]';
    expect((await run(code)).stdout).toBe('[0, 1, 2, 3]\n');
    expect((await run('os.write(3, b"junk")')).outcome).toMatchObject({ errorName: 'OSError' });
  });

  test('junk on the control stream ends the kernel as failed, and the next run works', () =>
    inOwnKernel(async (own) => {
      const junk =
        'import os\nfor fd in range(3, 20):\n  try: os.write(fd, b"junk\\n")\n  except OSError: pass\nimport time; time.sleep(9)';
      await expect(own.run(junk, { timeoutMs: 5_000 })).rejects.toMatchObject({
        code: 'kernel_failed',
      });
      expect((await own.run('2')).stdout).toBe('2\n');
    }));

  test.each([
    ['exit()', 0],
    ['import sys; sys.exit(3)', 3],
    ['import os; print("bye"); os._exit(4)', 4],
    ['import os; os.kill(os.getpid(), 9)', 137],
    ['raise SystemExit("why")', 1],
  ])('%s ends the interpreter, and the next run has a fresh one', (code, exitCode) =>
    inOwnKernel(async (own) => {
      await own.run('x = 1');
      const ended = await own.run(code);
      expect(ended.outcome).toEqual({ kind: 'exited', exitCode });
      expect(ended.stdout).toBe(code.includes('bye') ? 'bye\n' : '');
      expect((await own.run('x')).outcome).toMatchObject({ errorName: 'NameError' });
    }),
  );

  test('exit() does not wait for threads', () =>
    inOwnKernel(async (own) => {
      await own.run('import threading; threading.Thread(target=threading.Event().wait).start()');
      expect((await own.run('exit()')).outcome).toEqual({ kind: 'exited', exitCode: 0 });
    }));
});

describe('a timeout', () => {
  test('shows where the code was, and nothing of the kernel', async () => {
    const { stderr } = await run('import time\ntime.sleep(60)', { timeoutMs: 200 });
    expect(stderr).toMatch(
      /^Traceback \(most recent call last\):\n {2}File "<run \d+>", line 2, in <module>\n[^/]*KeyboardInterrupt\n$/,
    );
    expect(stderr).not.toContain('on_interrupt');
  });

  test.each([
    'while True: pass',
    'import time; time.sleep(60)',
    'import asyncio; await asyncio.sleep(60)',
    'import subprocess; subprocess.run(["sleep", "60"])',
  ])('interrupts %s and keeps the state', async (code) => {
    await run('kept = 7');
    const { outcome } = await run(code, { timeoutMs: 200 });
    expect(outcome).toEqual({ kind: 'timed_out', stateLost: false });
    expect((await run('kept')).stdout).toBe('7\n');
  });

  test('kills code that swallows the interrupt, and says that the state is lost', () =>
    inOwnKernel(async (own) => {
      const code =
        'def spin():\n  while True: pass\nwhile True:\n  try: spin()\n  except BaseException: pass';
      const { outcome } = await own.run(code, { timeoutMs: 200 });
      expect(outcome).toEqual({ kind: 'timed_out', stateLost: true });
      expect((await own.run('1')).stdout).toBe('1\n');
    }));

  test('ends endless output, and a receiver that never takes it', () =>
    inOwnKernel(async (own) => {
      const code = "while True: print('x' * 1000)";
      const flood = await own.run(code, { timeoutMs: 300, onOutput: () => undefined });
      expect(flood.outcome).toEqual({ kind: 'timed_out', stateLost: false });
      const onOutput = () => new Promise<void>(() => undefined);
      const stuck = await own.run(code, { timeoutMs: 300, onOutput });
      expect(stuck.outcome).toEqual({ kind: 'timed_out', stateLost: true });
      expect((await own.run('1')).stdout).toBe('1\n');
    }));
});
