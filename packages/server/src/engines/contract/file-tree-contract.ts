import { type FileChange, type FileEntry, SandgateError } from '@sandgate/core';
import { expect } from 'vitest';
import { type ContractPart, eventually, filesOf, inPieces, runShell } from './contract-suite.ts';

const oddNames = ['-n', ' ', "it's", 'a\nb', '"', '$(id)', '*', 'é😀', 'raw\udcff\udc80', '\u0001'];

/** Reads a file, or a part of it. */
async function readText(
  files: ReturnType<typeof filesOf>,
  path: string,
  range: { readonly offsetBytes?: number; readonly lengthBytes?: number } = {},
): Promise<string> {
  let text = '';
  await files.read({
    path,
    ...range,
    onData: (data) => {
      text += data.toString('utf8');
    },
  });
  return text;
}

export const fileTreeContract: ContractPart = (test, { start, shared }) => {
  test('an entry says what it is, and a link what it names', async () => {
    const sandbox = await shared();
    const files = filesOf(sandbox);
    await runShell(
      sandbox,
      `mkdir d && printf 12345 >f && chmod 640 f && touch -d 2001-02-03T04:05:06.5Z f &&
       ln -s f l && ln -s /none dangling && mkfifo p`,
    );
    expect(await files.stat('/workspace/f')).toEqual({
      path: '/workspace/f',
      kind: 'file',
      sizeBytes: 5,
      mode: 0o640,
      modifiedAtMs: 981_173_106_500,
      linkTarget: null,
    });
    const kinds: Record<string, [FileEntry['kind'], string | null]> = {};
    for (const name of ['d', 'l', 'dangling', 'p', 'd/']) {
      const { kind, linkTarget } = await files.stat(`/workspace/${name}`);
      kinds[name] = [kind, linkTarget];
    }
    expect(kinds).toEqual({
      d: ['directory', null],
      'd/': ['directory', null],
      l: ['link', 'f'],
      dangling: ['link', '/none'],
      p: ['other', null],
    });
    expect(await files.stat('/')).toMatchObject({ path: '/', kind: 'directory' });
    expect(await files.stat('/dev/null')).toMatchObject({ kind: 'other' });
  });

  test('names are whatever bytes they are', async () => {
    const sandbox = await shared();
    const files = filesOf(sandbox);
    for (const name of oddNames) {
      const path = `/workspace/odd/${name}`;
      await files.write({ path, source: inPieces(name), makeParents: true });
      expect(await readText(files, path)).toBe(Buffer.from(name).toString('utf8'));
      expect(await files.stat(path)).toMatchObject({ path, kind: 'file' });
    }
    const listed = await files.list('/workspace/odd', { maxEntries: 100 });
    expect(listed.map(({ path }) => path)).toEqual(
      oddNames.map((name) => `/workspace/odd/${name}`).sort(),
    );
    const bytes = await runShell(sandbox, 'ls odd | od -An -tx1 | tr -d " \\n"');
    expect(bytes.stdout).toContain('726177ff80');
    for (const [index, name] of oddNames.entries()) {
      await files.move(`/workspace/odd/${name}`, `/workspace/odd/${name}${index}`);
      await files.remove(`/workspace/odd/${name}${index}`);
    }
    expect(await files.list('/workspace/odd', { maxEntries: 0 })).toEqual([]);
  });

  test('a directory is listed by name, through a link too, and no further than asked', async () => {
    const sandbox = await shared();
    const files = filesOf(sandbox);
    await runShell(
      sandbox,
      'mkdir d d/sub && touch d/b d/a d/sub/deep && ln -s b d/l && ln -s d way',
    );
    const listed = await files.list('/workspace/d', { maxEntries: 4 });
    expect(listed.map(({ path, kind }) => [path, kind])).toEqual([
      ['/workspace/d/a', 'file'],
      ['/workspace/d/b', 'file'],
      ['/workspace/d/l', 'link'],
      ['/workspace/d/sub', 'directory'],
    ]);
    const through = await files.list('/workspace/way/', { maxEntries: 4 });
    expect(through.map(({ path }) => path)).toContain('/workspace/way/a');
    await expect(files.list('/workspace/d', { maxEntries: 3 })).rejects.toMatchObject({
      code: 'payload_too_large',
    });
    await runShell(sandbox, 'mkdir many && cd many && seq 3000 | xargs touch');
    await expect(files.list('/workspace/many', { maxEntries: 1_000 })).rejects.toMatchObject({
      code: 'payload_too_large',
    });
    expect(await files.list('/workspace/many', { maxEntries: 3_000 })).toHaveLength(3_000);
    expect((await files.list('/', { maxEntries: 100 })).map(({ path }) => path)).toContain('/etc');
  });

  test('each failure has a code of its own', async () => {
    const sandbox = await shared();
    const files = filesOf(sandbox);
    await runShell(
      sandbox,
      `mkdir full closed && touch full/f file && chmod 0 closed && touch secret && chmod 0 secret &&
       ln -s /none dangling && ln -s loop loop && mkfifo pipe`,
    );
    const at = (name: string): string => `/workspace/${name}`;
    const write = (path: string, makeParents = false): Promise<number> =>
      files.write({ path, source: inPieces('x'), makeParents });
    const list = (path: string) => files.list(path, { maxEntries: 10 });
    const cases: readonly [() => Promise<unknown>, string][] = [
      [() => files.stat(at('none')), 'file_not_found'],
      [() => files.stat(at('closed/x')), 'file_denied'],
      [() => files.stat(at('file/x')), 'file_conflict'],
      [() => files.stat(at('n'.repeat(300))), 'invalid_request'],
      [() => files.stat('relative'), 'invalid_request'],
      [() => files.stat(`/${'n/'.repeat(3_000)}`), 'invalid_request'],
      [() => list(at('none')), 'file_not_found'],
      [() => list(at('dangling')), 'file_not_found'],
      [() => list(at('file')), 'file_conflict'],
      [() => list(at('closed')), 'file_denied'],
      [() => files.makeDirectory(at('full')), 'file_exists'],
      [() => files.makeDirectory(at('file')), 'file_exists'],
      [() => files.makeDirectory(at('file'), { parents: true }), 'file_exists'],
      [() => files.makeDirectory(at('file/x'), { parents: true }), 'file_conflict'],
      [() => files.makeDirectory(at('none/x')), 'file_not_found'],
      [() => files.makeDirectory('/usr/x'), 'file_denied'],
      [() => files.move(at('none'), at('other')), 'file_not_found'],
      [() => files.move(at('file'), at('full')), 'file_exists'],
      [() => files.move(at('file'), at('dangling')), 'file_exists'],
      [() => files.move(at('full'), at('file')), 'file_exists'],
      [() => files.move(at('file'), at('none/x')), 'file_not_found'],
      [() => files.move(at('full'), at('full/deep')), 'file_conflict'],
      [() => files.move(at('file'), '/usr/x'), 'file_denied'],
      [() => files.remove(at('none')), 'file_not_found'],
      [() => files.remove(at('none'), { recursive: true }), 'file_not_found'],
      [() => files.remove(at('full')), 'file_conflict'],
      [() => files.remove('/usr/bin/env'), 'file_denied'],
      [() => readText(files, at('none')), 'file_not_found'],
      [() => readText(files, at('full')), 'file_conflict'],
      [() => readText(files, at('pipe')), 'file_conflict'],
      [() => readText(files, at('secret')), 'file_denied'],
      [() => readText(files, at('loop')), 'file_conflict'],
      [() => readText(files, at('file'), { offsetBytes: -1 }), 'invalid_request'],
      [() => write(at('full')), 'file_conflict'],
      [() => write(at('pipe')), 'file_conflict'],
      [() => write(at('none/x')), 'file_not_found'],
      [() => write(at('file/x')), 'file_conflict'],
      [() => write(at('file/x'), true), 'file_conflict'],
      [() => write('/usr/x'), 'file_denied'],
      [() => write(at('x/')), 'invalid_request'],
    ];
    const found: string[] = [];
    for (const [act] of cases) {
      found.push(
        await act().then(
          () => 'nothing',
          (cause: unknown) => (cause instanceof SandgateError ? cause.code : String(cause)),
        ),
      );
    }
    expect(found).toEqual(cases.map(([, code]) => code));
    expect((await runShell(sandbox, 'ls -A | grep -c sandgate; cat full/f file')).stdout).toBe(
      '0\n',
    );
  });

  test('directories are made, moved and removed', async () => {
    const sandbox = await shared();
    const files = filesOf(sandbox);
    await files.makeDirectory('/workspace/one');
    await files.makeDirectory('/workspace/one/two/three', { parents: true });
    await files.makeDirectory('/workspace/one/two/three', { parents: true });
    await files.write({ path: '/workspace/one/f', source: inPieces('data') });
    await files.move('/workspace/one', '/tmp/moved');
    expect(await readText(files, '/tmp/moved/f')).toBe('data');
    await runShell(sandbox, 'ln -s /tmp/moved link');
    await files.remove('/workspace/link', { recursive: true });
    await files.remove('/tmp/moved/two/three');
    expect((await runShell(sandbox, 'ls /tmp/moved; ls')).stdout).toBe('f\ntwo\n');
    await files.remove('/tmp/moved', { recursive: true });
    expect((await runShell(sandbox, 'ls /tmp')).stdout).toBe('');
  });

  test('a part of a file is read, after its entry', async () => {
    const sandbox = await shared();
    const files = filesOf(sandbox);
    await sandbox.writeFile('/workspace/f', Buffer.from('0123456789'));
    await runShell(sandbox, 'ln -s f l');
    const ranges: readonly [number, number | undefined, string][] = [
      [0, undefined, '0123456789'],
      [3, undefined, '3456789'],
      [3, 4, '3456'],
      [8, 100, '89'],
      [10, 1, ''],
      [99, undefined, ''],
      [5, 0, ''],
    ];
    for (const [offsetBytes, lengthBytes, text] of ranges) {
      const range = { offsetBytes, ...(lengthBytes === undefined ? {} : { lengthBytes }) };
      expect(await readText(files, '/workspace/f', range)).toBe(text);
    }
    const events: unknown[] = [];
    await files.read({
      path: '/workspace/l',
      lengthBytes: 2,
      onEntry: (entry) => events.push(entry),
      onData: (data) => void events.push(data.toString()),
    });
    expect(events).toEqual([
      expect.objectContaining({ path: '/workspace/l', kind: 'file', sizeBytes: 10, mode: 0o644 }),
      '01',
    ]);
    expect(await readText(files, '/proc/self/comm')).toBe('dd\n');
  });

  test('a written file keeps its mode, and gets the one that is asked for', async () => {
    const sandbox = await shared();
    const files = filesOf(sandbox);
    const modes: number[] = [];
    const write = async (mode?: number): Promise<void> => {
      const path = '/workspace/new/deep/f';
      const given = mode === undefined ? {} : { mode };
      const source = inPieces('one', 'two');
      expect(await files.write({ path, source, makeParents: true, ...given })).toBe(6);
      modes.push((await files.stat(path)).mode);
    };
    await write();
    await write(0o600);
    await write();
    await write(0o4755);
    await write();
    expect(modes).toEqual([0o644, 0o600, 0o600, 0o4755, 0o4755]);
    expect((await files.stat('/workspace/new')).mode).toBe(0o755);
    expect(await readText(files, '/workspace/new/deep/f')).toBe('onetwo');
  });

  test('a write that fails leaves what was there, and nothing else', async () => {
    const sandbox = await start();
    const files = filesOf(sandbox);
    const path = '/workspace/kept';
    await sandbox.writeFile(path, Buffer.from('before'));
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(200_000);
      throw new Error('source failed');
    }
    await expect(files.write({ path, source: failing() })).rejects.toThrow('source failed');
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield Buffer.alloc(1_000_000);
    }
    await expect(files.write({ path, source: endless() })).rejects.toMatchObject({
      code: 'disk_full',
    });
    const controller = new AbortController();
    async function* hanging(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(100_000);
      setTimeout(() => controller.abort(), 50);
      await new Promise(() => {});
    }
    const { signal } = controller;
    await expect(files.write({ path, source: hanging(), signal })).rejects.toMatchObject({
      code: 'request_abandoned',
    });
    await expect(files.write({ path, source: inPieces('x'), signal })).rejects.toMatchObject({
      code: 'request_abandoned',
    });
    expect((await runShell(sandbox, 'ls -A; cat kept')).stdout).toBe('kept\nbefore');
  });

  test('a reader holds back reading, and can give up', async () => {
    const sandbox = await shared();
    const files = filesOf(sandbox);
    await runShell(sandbox, 'head -c 20000000 /dev/zero >big');
    const controller = new AbortController();
    let bytes = 0;
    const reading = files.read({
      path: '/workspace/big',
      signal: controller.signal,
      onData: async (data) => {
        bytes += data.length;
        if (bytes > 1_000_000) controller.abort();
        await new Promise((resolve) => setImmediate(resolve));
      },
    });
    await expect(reading).rejects.toMatchObject({ code: 'request_abandoned' });
    expect(bytes).toBeLessThan(4_000_000);
    bytes = 0;
    await files.read({
      path: '/workspace/big',
      onData: (data) => {
        bytes += data.length;
      },
    });
    expect(bytes).toBe(20_000_000);
  });

  test('changes are told until the watch is given up', async () => {
    const sandbox = await start();
    const files = filesOf(sandbox);
    await runShell(sandbox, 'mkdir -p w/sub && touch w/gone w/edited w/sub/deep');
    const watches = [true, false].map((recursive) => {
      const controller = new AbortController();
      const changes: FileChange[] = [];
      const ended = files.watch({
        path: '/workspace/w',
        recursive,
        signal: controller.signal,
        onChange: (change) => changes.push(change),
      });
      return { controller, changes, ended };
    });
    const count = (): number[] => watches.map(({ changes }) => changes.length);
    // Until it has looked for the first time, nobody knows what a change would be.
    await eventually(async () => {
      await runShell(sandbox, 'touch "w/$(date +%N)"');
      return Math.min(...count());
    }).toBeGreaterThan(0);
    await runShell(
      sandbox,
      'rm w/gone; echo x >w/edited; mkdir w/new; touch w/sub/late; rm w/sub/deep',
    );
    const expected: FileChange[] = [
      { kind: 'removed', path: '/workspace/w/gone' },
      { kind: 'changed', path: '/workspace/w/edited' },
      { kind: 'created', path: '/workspace/w/new' },
    ];
    const deep: FileChange[] = [
      { kind: 'created', path: '/workspace/w/sub/late' },
      { kind: 'removed', path: '/workspace/w/sub/deep' },
    ];
    const [recursive, flat] = watches;
    await eventually(() => recursive?.changes).toEqual(
      expect.arrayContaining([...expected, ...deep]),
    );
    await eventually(() => flat?.changes).toEqual(expect.arrayContaining(expected));
    expect(flat?.changes.filter(({ path }) => path.includes('/sub'))).toEqual([]);
    for (const { controller, ended } of watches) {
      controller.abort();
      await ended;
    }
    const left = async (): Promise<string> =>
      (await runShell(sandbox, 'cat /proc/[0-9]*/comm | grep -c -e sleep -e find')).stdout;
    await eventually(left).toBe('0\n');
    const signal = new AbortController().signal;
    const onChange = (): void => undefined;
    for (const [path, code] of [
      ['/workspace/none', 'file_not_found'],
      ['/workspace/w/edited', 'file_conflict'],
    ] as const) {
      await expect(files.watch({ path, recursive: true, signal, onChange })).rejects.toMatchObject({
        code,
      });
    }
    const seen: FileChange[] = [];
    const last = files.watch({
      path: '/workspace/w',
      recursive: true,
      signal,
      onChange: (change) => seen.push(change),
    });
    await expect
      .poll(async () => {
        await runShell(sandbox, 'touch "w/$(date +%N)"');
        return seen.length;
      })
      .toBeGreaterThan(0);
    await sandbox.stop();
    await last;
    await expect(files.stat('/workspace')).rejects.toMatchObject({ code: 'sandbox_ended' });
  });
};
