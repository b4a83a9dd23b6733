import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { startKernelInTest } from './start-kernel-in-test.ts';

const completed = { kind: 'completed' };
const shared = startKernelInTest('node');
const { run } = shared;
afterAll(() => shared.close());

/** For code that ends or blocks its interpreter. */
async function inOwnKernel(test: (own: typeof shared) => Promise<void>): Promise<void> {
  const own = startKernelInTest('node');
  try {
    await test(own);
  } finally {
    await own.close();
  }
}

describe('what a run prints', () => {
  test('const, let and class may be declared again, and the last expression is echoed', async () => {
    expect(await run('const x = 41; let y; class A {}')).toMatchObject({
      outcome: completed,
      stdout: '',
    });
    expect(await run('const x = 42; let y; class A {}; x')).toMatchObject({ stdout: '42\n' });
    expect(await run('({ x, s: "t" })')).toMatchObject({
      stdout: "{ x: 42, s: 't' }\n",
      stderr: '',
    });
    expect((await run('function f() { return x }')).stdout).toBe('');
    expect((await run('f()')).stdout).toBe('42\n');
    expect((await run('-0')).stdout).toBe('-0\n');
    expect((await run('10n')).stdout).toBe('10n\n');
    expect((await run('Symbol("q")')).stdout).toBe('Symbol(q)\n');
  });

  test('lines that start with > or .. and blank lines are code like any other', async () => {
    const { stdout } = await run('`a\n\n> b\n..c`.length');
    expect(stdout).toBe('10\n');
  });

  test('text without a newline ends where it ends', async () => {
    expect((await run('process.stdout.write("x"); undefined')).stdout).toBe('x');
  });

  test('an exception is on stderr, without frames of the kernel', async () => {
    const { outcome, stdout, stderr } = await run(
      'function g() {\n  throw new TypeError("bad")\n}\ng()',
    );
    expect(outcome).toEqual({ kind: 'raised', errorName: 'TypeError', errorMessage: 'bad' });
    expect(stdout).toBe('');
    expect(stderr).toMatch(
      /^TypeError: bad\n {4}at g \(run-\d+\.js:2:9\)\n {4}at run-\d+\.js:4:1\n$/,
    );
    expect((await run('nowhere')).outcome).toMatchObject({ errorName: 'ReferenceError' });
    expect((await run('throw 5')).outcome).toMatchObject({ errorName: 'Error', errorMessage: '5' });
  });

  test('a syntax error is on stderr with its place, and nothing runs', async () => {
    const { outcome, stdout, stderr } = await run('console.log("no")\nlet b = = 2');
    expect(outcome).toMatchObject({ kind: 'raised', errorName: 'SyntaxError' });
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^run-\d+\.js:2\nlet b = = 2\n {8}\^\nSyntaxError: /);
    expect((await run('foo(')).outcome).toMatchObject({ errorName: 'SyntaxError' });
    expect((await run('`open')).outcome).toMatchObject({ errorName: 'SyntaxError' });
  });

  test('await works at the top level', async () => {
    const { stdout } = await run('const v = await new Promise((r) => setTimeout(r, 5, 7)); v + 1');
    expect(stdout).toBe('8\n');
    const rejected = await run('await Promise.reject(new RangeError("r"))');
    expect(rejected.outcome).toMatchObject({ errorName: 'RangeError' });
  });

  test('import works in all its forms', async () => {
    const code = `import { readFileSync as read, existsSync } from "fs"
import * as path from "node:path"; import os, { cpus } from 'os'
import "node:util"
;[typeof read, existsSync('/'), path.sep, typeof os.cpus === typeof cpus]`;
    expect((await run(code)).stdout).toBe("[ 'function', true, '/', true ]\n");
    expect((await run('import os from "node:os"')).stdout).toBe('');
    expect((await run('(await import("node:path")).sep')).stdout).toBe("'/'\n");
    expect((await run('const later = () => import("node:fs"); 0')).stdout).toBe('0\n');
    expect((await run('typeof (await later()).readFileSync')).stdout).toBe("'function'\n");
    expect((await run('import.meta.dirname === process.cwd()')).stdout).toBe('true\n');
    expect((await run('"import x from y" // import z')).stdout).toBe("'import x from y'\n");
    expect((await run('import x from "nowhere-at-all"')).outcome).toMatchObject({ kind: 'raised' });
    const wrong = await run('import x from "fs"; )');
    expect(wrong.outcome).toMatchObject({
      errorName: 'SyntaxError',
      errorMessage: expect.stringMatching(/Unexpected token/),
    });
  });

  test('require and the built-in modules are there, Node internals are not', async () => {
    expect((await run('[typeof require("fs").statSync, path.sep, typeof module]')).stdout).toBe(
      "[ 'function', '/', 'object' ]\n",
    );
    expect((await run('const fs = require("fs"); typeof fs')).stdout).toBe("'object'\n");
    expect((await run('require("internal/util")')).outcome).toMatchObject({ kind: 'raised' });
  });

  test('standard input is empty, and subprocesses print for the run', async () => {
    expect((await run('fs.readFileSync(0, "utf8")')).stdout).toBe("''\n");
    const sub = 'child_process.execSync("cat; echo sub", { stdio: "inherit" }); undefined';
    expect((await run(sub)).stdout).toBe('sub\n');
  });

  test('an unhandled rejection is on stderr and does not end the kernel', async () => {
    const { outcome, stdout, stderr } = await run('Promise.reject(new Error("lost")); 1');
    expect(outcome).toEqual(completed);
    expect(stdout).toBe('1\n');
    expect(stderr).toMatch(/^Error: lost\n/);
    const timer =
      'setTimeout(() => { throw new Error("timer") }, 1); await new Promise((r) => setTimeout(r, 20))';
    expect((await run(timer)).stderr).toMatch(/^Error: timer\n/);
  });

  test('what a timer prints late belongs to no later run', async () => {
    await run('setTimeout(() => { console.log("late"); process.emit("late") }, 20); undefined');
    const next = 'await new Promise((r) => process.once("late", r)); console.log("mine")';
    expect((await run(next)).stdout).toBe('mine\n');
  });

  test('any text, and a megabyte, comes back as it was', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 8 }),
        async (texts) => {
          const code = `for (const t of ${JSON.stringify(texts)}) process.stdout.write(t); undefined`;
          expect((await run(code)).stdout).toBe(texts.join(''));
        },
      ),
      { numRuns: 60 },
    );
    const large = await run('process.stdout.write(Buffer.alloc(1e6, 0xff)); console.error("end")');
    expect(large.stdoutBytes.equals(Buffer.alloc(1_000_000, 0xff))).toBe(true);
    expect(large.stderr).toBe('end\n');
  });
});

describe('code that harms its own kernel', () => {
  test('a closed stdout does not hide the end of a run', () =>
    inOwnKernel(async (own) => {
      expect((await own.run('require("fs").closeSync(1)')).outcome.kind).toBe('completed');
    }));

  test('junk on the control stream ends the kernel as failed, and the next run works', () =>
    inOwnKernel(async (own) => {
      await expect(own.run('fs.writeSync(3, "junk\\n"); await 0')).rejects.toMatchObject({
        code: 'kernel_failed',
      });
      expect((await own.run('2')).stdout).toBe('2\n');
    }));

  test.each([
    ['console.log("bye"); process.exit(3)', 3],
    ['process.exit()', 0],
    ['process.kill(process.pid, 9)', 137],
  ])('%s ends the interpreter, and the next run has a fresh one', (code, exitCode) =>
    inOwnKernel(async (own) => {
      await own.run('x = 1; await new Promise((r) => setTimeout(r, 5))');
      const ended = await own.run(code);
      expect(ended).toMatchObject({ outcome: { kind: 'exited', exitCode }, stderr: '' });
      expect(ended.stdout).toBe(code.includes('bye') ? 'bye\n' : '');
      expect((await own.run('typeof x')).stdout).toBe("'undefined'\n");
    }),
  );
});

describe('a timeout', () => {
  test.each([
    'while (true) {}',
    'await new Promise(() => {})',
    'await new Promise((r) => setTimeout(r, 5)); while (true) {}',
    'while (true) { await null }',
    'while (true) {} // with the thread that interrupts',
  ])('interrupts %s and keeps the state', async (code) => {
    await run('kept = 7');
    const { outcome } = await run(code, { timeoutMs: 300 });
    expect(outcome).toEqual({ kind: 'timed_out', stateLost: false });
    expect((await run('kept')).stdout).toBe('7\n');
  });

  test.each(['while (true) {}', 'await null; while (true) {}'])(
    'interrupts %s right after the first run, and keeps the state',
    (code) =>
      inOwnKernel(async (own) => {
        await own.run('kept = 7');
        const aborting = new AbortController();
        const ended = own.run(code, { signal: aborting.signal });
        setTimeout(() => aborting.abort(), 1);
        expect((await ended).outcome).toEqual({ kind: 'aborted', stateLost: false });
        expect((await own.run('kept')).stdout).toBe('7\n');
      }),
  );

  test('a garbage collection after an interrupt does no harm', async () => {
    await run(
      'require("v8").setFlagsFromString("--expose-gc"); var gc = require("vm").runInNewContext("gc")',
    );
    expect(
      (await run('await new Promise(() => setInterval(gc, 10).unref())', { timeoutMs: 100 }))
        .outcome,
    ).toEqual({
      kind: 'timed_out',
      stateLost: false,
    });
    await run('gc()');
    expect((await run('await new Promise((r) => setTimeout(r, 40)); gc(); 1')).stdout).toBe('1\n');
  });

  test('kills code that cannot be interrupted, and says that the state is lost', () =>
    inOwnKernel(async (own) => {
      const { outcome } = await own.run('child_process.execSync("sleep 60")', { timeoutMs: 200 });
      expect(outcome).toEqual({ kind: 'timed_out', stateLost: true });
      expect((await own.run('1')).stdout).toBe('1\n');
    }));

  test('ends endless output, and a receiver that never takes it', () =>
    inOwnKernel(async (own) => {
      const code = "while (true) console.log('x'.repeat(1000))";
      // The interpreter's own start is not part of the time that the code has.
      expect((await own.run('1')).stdout).toBe('1\n');
      const flood = await own.run(code, { timeoutMs: 300, onOutput: () => undefined });
      expect(flood.outcome).toEqual({ kind: 'timed_out', stateLost: false });
      const onOutput = () => new Promise<void>(() => undefined);
      const stuck = await own.run(code, { timeoutMs: 300, onOutput });
      expect(stuck.outcome).toEqual({ kind: 'timed_out', stateLost: true });
      expect((await own.run('1')).stdout).toBe('1\n');
    }));
});

describe('code that takes from the kernel what it works with', () => {
  test.each([
    'Buffer = undefined',
    'JSON = { stringify: () => "{}" }',
    'process = undefined',
    'Symbol = Object = Error = Number = BigInt = setImmediate = undefined',
    'Object.defineProperty = Object.getOwnPropertySymbols = undefined',
    'Buffer.from = Buffer.alloc = Buffer.concat = undefined',
    'delete Buffer.prototype.toString; Buffer.prototype.indexOf = Buffer.prototype.subarray = undefined',
    'String.prototype.split = Array.prototype.join = Array.prototype.find = undefined',
    'require("fs").writeSync = () => 0',
    'require("fs").writeSync = () => { throw new Error("mocked") }',
    'Object.defineProperty(process, "stderr", { value: null }); Object.defineProperty(process, "stdout", { value: null })',
    'process.exit = process.reallyExit = () => {}',
  ])('gets its answer, and keeps its state: %s', (code) =>
    inOwnKernel(async (own) => {
      await own.run('var kept = 40');
      const broken = await own.run(`${code}; undefined`, { timeoutMs: 5_000 });
      expect(broken.outcome).toEqual(completed);
      const next = await own.run('if (kept !== 40) throw kept', { timeoutMs: 5_000 });
      expect(next.outcome).toEqual(completed);
      expect((await own.run('throw 5', { timeoutMs: 5_000 })).outcome).toMatchObject({
        kind: 'raised',
        errorMessage: '5',
      });
      expect(own.processes).toHaveLength(1);
    }),
  );

  test.each([
    'fs.closeSync(3)',
    'fs.closeSync(3); fs.openSync("/dev/null", "w")',
    'fs.closeSync(7)',
    'fs.closeSync(8); fs.openSync("/dev/null", "w")',
    'fs.closeSync(9)',
    'globalThis = undefined',
    'require("inspector").Session.prototype.post = undefined',
    'Object.preventExtensions(globalThis)',
    'fs.closeSync(3); process.reallyExit = process.exit = () => {}',
  ])('is never waited for in vain, nor is the next run: %s', (code) =>
    inOwnKernel(async (own) => {
      const broken = await own.run(`${code}; undefined`, { timeoutMs: 5_000 });
      expect(broken.outcome.kind).toMatch(/^(completed|raised|exited)$/);
      const next = await own.run('console.log("next")', { timeoutMs: 5_000 });
      expect(next.outcome.kind).toMatch(/^(completed|raised|exited)$/);
      expect((await own.run('1 + 1', { timeoutMs: 5_000 })).stdout).toMatch(/^(2\n)?$/);
    }),
  );
});
