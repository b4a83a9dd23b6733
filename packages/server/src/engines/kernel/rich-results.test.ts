import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KernelLanguage, KernelOutcome, RichResult } from '@sandgate/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startKernelInTest } from './start-kernel-in-test.ts';

const kernels = { python: startKernelInTest('python'), node: startKernelInTest('node') };
let library: string;

beforeAll(async () => {
  library = mkdtempSync(join(tmpdir(), 'sandgate-rich-'));
  mkdirSync(join(library, 'matplotlib'));
  writeFileSync(join(library, 'matplotlib/__init__.py'), '');
  // What of the library's interface the kernel uses, as its documentation has it.
  writeFileSync(
    join(library, 'matplotlib/pyplot.py'),
    `
class Figure:
    def __init__(self, number): self.number = number
    def __repr__(self): return '<Figure %d>' % self.number
    def savefig(self, file, format, bbox_inches): file.write(b'\\x89PNG' + bytes([self.number]))
Figure.__module__ = 'matplotlib.figure'
_open = {}
def figure(number=None):
    number = number or len(_open) + 1
    return _open.setdefault(number, Figure(number))
def get_fignums(): return sorted(_open)
def close(figure): del _open[figure.number]
def show(*args, **kwargs): print('a window')
`,
  );
  writeFileSync(
    join(library, 'pandas.py'),
    `
class DataFrame:
    def __init__(self, rows): self.rows = rows
    def __repr__(self): return 'rows: %d' % len(self.rows)
    def _repr_html_(self): return '<table>%d</table>' % len(self.rows)
    def head(self, count): return DataFrame(self.rows[:count])
    def to_json(self, orient, date_format):
        import json
        return json.dumps([{'n': row} for row in self.rows])
`,
  );
  await kernels.python.run(`import sys; sys.path.insert(0, ${JSON.stringify(library)})`);
});

afterAll(async () => {
  await kernels.python.close();
  await kernels.node.close();
  rmSync(library, { recursive: true, force: true });
});

interface RichRecord {
  readonly outcome: KernelOutcome;
  readonly stdout: string;
  readonly stderr: string;
  readonly results: readonly RichResult[];
}

async function rich(language: KernelLanguage, code: string): Promise<RichRecord> {
  const results: RichResult[] = [];
  const record = await kernels[language].run(code, {
    onResult: (result) => void results.push(result),
  });
  return { ...record, results };
}

const base64 = (...bytes: number[]): string => Buffer.from(bytes).toString('base64');
const png = (number: number): string => base64(0x89, 0x50, 0x4e, 0x47, number);

describe.each(['python', 'node'] as const)('a %s kernel', (language) => {
  const code = (python: string, node: string): string => (language === 'python' ? python : node);

  test('hands over the last value instead of writing it', async () => {
    const text = await rich(language, '"te" + "xt"');
    expect(text).toMatchObject({ outcome: { kind: 'completed' }, stdout: '' });
    expect(text.results).toEqual([{ role: 'value', data: { 'text/plain': "'text'" } }]);
    const nothing = await rich(language, code('print("x")\nNone', 'console.log("x"); undefined'));
    expect(nothing).toMatchObject({ stdout: 'x\n', results: [] });
    const { stdout } = await kernels[language].run('40 + 2');
    expect(stdout).toBe('42\n');
  });

  test('gives data as JSON too, and what JSON cannot hold as text alone', async () => {
    const data = await rich(language, code('{"a": [1, None, "x"]}', '({ a: [1, null, "x"] })'));
    expect(JSON.parse(data.results[0]?.data['application/json'] ?? '')).toEqual({
      a: [1, null, 'x'],
    });
    const cycle = code('a = []; a.append(a); a', 'const a = []; a.push(a); a');
    const other = code('{1: 2}', 'new Map([[1, 2n]])');
    for (const source of [cycle, other]) {
      const { results } = await rich(language, source);
      expect(Object.keys(results[0]?.data ?? {})).toEqual(['text/plain']);
    }
  });

  test('has display, which shows values on their way, and as text to who wants text', async () => {
    const source = code('display(1, "b")\n3', 'display(1, "b"); 3');
    const { results, stdout } = await rich(language, source);
    expect(stdout).toBe('');
    expect(results.map(({ role, data }) => [role, data['text/plain']])).toEqual([
      ['display', '1'],
      ['display', "'b'"],
      ['value', '3'],
    ]);
    expect((await kernels[language].run(source)).stdout).toBe("1\n'b'\n3\n");
  });

  test('hands over values while the code still runs', async () => {
    const seen = JSON.stringify(join(library, `seen-by-${language}`));
    const source = code(
      `import os, time\ndisplay("now")\nwhile not os.path.exists(${seen}): time.sleep(0.01)`,
      `display("now"); while (!fs.existsSync(${seen})) await new Promise((resolve) => setTimeout(resolve, 10));`,
    );
    const onResult = (): void => writeFileSync(JSON.parse(seen), '');
    expect((await kernels[language].run(source, { onResult })).outcome).toEqual({
      kind: 'completed',
    });
  });

  test('replaces a value of more than 8 MiB by words that say so', async () => {
    const sized = (length: number): string =>
      code(`"x" * ${length}`, `({ toJSON: () => "x".repeat(${length}) })`);
    const { results } = await rich(language, sized(9_000_000));
    expect(results[0]?.data).toEqual({
      'text/plain': 'The value is larger than 8 MiB and is not shown.',
    });
    const large = await rich(language, sized(8_000_000));
    const form = code('text/plain', 'application/json');
    expect(large.results[0]?.data[form]?.length).toBe(8_000_002);
  });

  test('tells an error by its frames, of the user’s code alone', async () => {
    const source = code(
      'def inner(x):\n    return 1 // x\n\ninner(0)',
      'function inner(x) {\n  throw new TypeError("no " + x);\n}\ninner(0)',
    );
    const { outcome, stderr, results } = await rich(language, source);
    expect(results).toEqual([]);
    expect(stderr).toContain('inner');
    if (outcome.kind !== 'raised') throw new Error(`the run ${outcome.kind}`);
    const frames = outcome.traceback?.frames ?? [];
    expect(frames.map(({ line }) => line)).toEqual([4, 2]);
    expect(frames.map(({ source: text }) => text)).toEqual([
      'inner(0)',
      code('return 1 // x', 'throw new TypeError("no " + x);'),
    ]);
    expect(frames.map(({ function: name }) => name)).toEqual([
      code('<module>', '<anonymous>'),
      'inner',
    ]);
    for (const { file } of frames) expect(file).toMatch(/^(<run \d+>|run-\d+\.js)$/);
    const broken = await rich(language, code('x = 1\ny = (', 'let x = 1;\nlet y = ;'));
    expect(broken.outcome).toMatchObject({
      kind: 'raised',
      errorName: 'SyntaxError',
      traceback: { frames: [{ line: 2, source: code('y = (', 'let y = ;') }] },
    });
    expect(await kernels[language].run(source)).toMatchObject({
      outcome: { kind: 'raised', errorMessage: expect.any(String) },
    });
    expect((await kernels[language].run(source)).outcome).not.toHaveProperty('traceback');
  });

  test('tells an endless recursion by its beginning and its end', async () => {
    const source = code(
      'def f(): f()\nf()',
      'Error.stackTraceLimit = 500; function f() { f(); }\nf()',
    );
    const { outcome } = await rich(language, source);
    if (outcome.kind !== 'raised') throw new Error(`the run ${outcome.kind}`);
    expect(outcome.traceback?.frames.length).toBeGreaterThan(50);
    expect(outcome.traceback?.frames.length).toBeLessThanOrEqual(100);
  });

  test('drops what an earlier run still shows', async () => {
    await rich(
      language,
      code(
        'import threading\ngo, done = threading.Event(), threading.Event()\ndef late():\n  go.wait(); display("late"); done.set()\nthreading.Thread(target=late).start()\nNone',
        'globalThis.late = new Promise((resolve) => { globalThis.go = resolve; }).then(() => display("late")); undefined',
      ),
    );
    const { results } = await rich(
      language,
      code('go.set()\n_ = done.wait()\n"next"', 'go(); await late; "next"'),
    );
    expect(results.map(({ data }) => data['text/plain'])).toEqual(["'next'"]);
  });

  test('fails as its receiver does', async () => {
    const own = startKernelInTest(language);
    try {
      const full = new Error('full');
      const onResult = (): void => {
        throw full;
      };
      await expect(own.run('1', { onResult })).rejects.toBe(full);
      expect((await own.run('2')).stdout).toBe('2\n');
    } finally {
      await own.close();
    }
  });
});

describe('a python kernel', () => {
  test('takes the forms that objects offer, and leaves out those that fail', async () => {
    const { results } = await rich(
      'python',
      `class Shown:
    def __repr__(self): return 'plain'
    def _repr_html_(self): return '<b>bold</b>'
    def _repr_markdown_(self): return ('**bold**', {'some': 'metadata'})
    def _repr_svg_(self): return '<svg/>'
    def _repr_png_(self): return bytes([1, 2, 3])
    def _repr_jpeg_(self): raise ValueError('no')
    def _repr_latex_(self): return None
    def _repr_json_(self): return {'a': 1}
Shown()`,
    );
    expect(results).toEqual([
      {
        role: 'value',
        data: {
          'text/plain': 'plain',
          'text/html': '<b>bold</b>',
          'text/markdown': '**bold**',
          'image/svg+xml': '<svg/>',
          'image/png': base64(1, 2, 3),
          'application/json': '{"a": 1}',
        },
      },
    ]);
    expect((await rich('python', 'Shown')).results[0]?.data).toEqual({
      'text/plain': expect.stringContaining('class'),
    });
    const bundle = await rich(
      'python',
      `class Bundled:
    def _repr_mimebundle_(self, include=None, exclude=None):
        return {'text/html': 'x', 'no media type': 'y', 'image/png': b'z'}, {}
    def __repr__(self): return 'bundled'
Bundled()`,
    );
    expect(bundle.results[0]?.data).toEqual({
      'text/plain': 'bundled',
      'text/html': 'x',
      'image/png': Buffer.from('z').toString('base64'),
    });
  });

  test('raises what the text of a value raises, without its own frames', async () => {
    const { outcome, stderr } = await rich(
      'python',
      'class Bad:\n    def __repr__(self): raise KeyError("bad")\nBad()',
    );
    expect(outcome).toMatchObject({ kind: 'raised', errorName: 'KeyError' });
    expect(stderr).not.toMatch(/kernel|sandgate/);
    if (outcome.kind !== 'raised') throw new Error(`the run ${outcome.kind}`);
    expect(outcome.traceback?.frames.map(({ line }) => line)).toEqual([3, 2]);
  });

  test('gives tables as their own markup and as bounded records', async () => {
    const { results } = await rich('python', 'import pandas\npandas.DataFrame(list(range(5000)))');
    expect(results[0]?.data).toMatchObject({
      'text/plain': 'rows: 5000',
      'text/html': '<table>5000</table>',
    });
    const records = JSON.parse(results[0]?.data['application/json'] ?? '');
    expect(records).toHaveLength(1000);
    expect(records[7]).toEqual({ n: 7 });
  });

  test('shows figures where the code does, and those left open at the end, once', async () => {
    const images = ({ results }: RichRecord): unknown[] =>
      results.map(({ role, data }) => [role, data['image/png'] ?? data['text/plain']]);
    const shown = await rich(
      'python',
      'from matplotlib.pyplot import show\nimport matplotlib.pyplot as plt\nplt.figure(4); show()\n"between"\nplt.figure(5); plt.figure(6)\n"last"',
    );
    expect(shown.stdout).toBe('');
    expect(images(shown)).toEqual([
      ['display', png(4)],
      ['value', "'last'"],
      ['display', png(5)],
      ['display', png(6)],
    ]);
    const failed = await rich('python', 'plt.figure(7)\n1/0');
    expect(images(failed)).toEqual([['display', png(7)]]);
    expect(images(await rich('python', 'plt.figure(8)'))).toEqual([
      ['value', png(8)],
      ['display', png(8)],
    ]);
    expect((await kernels.python.run('plt.show()')).stdout).toBe('a window\n');
  });

  test('does not load a plotting library that the code did not', async () => {
    const own = startKernelInTest('python');
    const code = "import sys; sorted(name for name in sys.modules if 'plot' in name)";
    const results: RichResult[] = [];
    await own.run(code, { onResult: (result) => void results.push(result) });
    expect(results[0]?.data['text/plain']).toBe('[]');
    await own.close();
  });

  test('keeps its values when it is interrupted while it shows one', async () => {
    const own = startKernelInTest('python');
    try {
      await own.run('kept = 1');
      const first = Promise.withResolvers<void>();
      const controller = new AbortController();
      const running = own.run('while True: display("x" * 1_000_000)', {
        onResult: () => first.resolve(),
        signal: controller.signal,
      });
      await first.promise;
      controller.abort();
      expect((await running).outcome).toEqual({ kind: 'aborted', stateLost: false });
      expect((await own.run('kept')).stdout).toBe('1\n');
    } finally {
      await own.close();
    }
  });
});

describe('a node kernel', () => {
  test('takes the forms that objects offer', async () => {
    const { results } = await rich(
      'node',
      `class Shown {
  toJSON() { return { a: 1 }; }
  [Symbol.for('sandgate.display')]() {
    return { 'text/html': '<b>bold</b>', 'image/png': new Uint8Array([1, 2, 3]), 'x-y': 1, 'text/css': 4 };
  }
}
new Shown()`,
    );
    expect(results).toEqual([
      {
        role: 'value',
        data: {
          'text/plain': expect.stringContaining('Shown'),
          'text/html': '<b>bold</b>',
          'image/png': base64(1, 2, 3),
          'application/json': '{"a":1}',
        },
      },
    ]);
  });

  test('shows a value whose offer fails by its other forms', async () => {
    const source = "({ a: 1, [Symbol.for('sandgate.display')]() { throw new Error('no'); } })";
    const { results, outcome } = await rich('node', source);
    expect(outcome).toEqual({ kind: 'completed' });
    expect(results[0]?.data['application/json']).toBe('{"a":1}');
  });

  test('knows no place of what is thrown without being an error', async () => {
    const { outcome } = await rich('node', '1;\nthrow "text"');
    expect(outcome).toEqual({
      ...{ kind: 'raised', errorName: 'Error', errorMessage: "'text'" },
      traceback: { frames: [] },
    });
  });
});
