import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findNode } from './find-node.ts';
import { findPythons } from './find-python.ts';
import { reachableByOthers } from './reachable-by-others.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sandgate-template-'));
  chmodSync(directory, 0o755);
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('reachableByOthers', () => {
  it('looks at the file and every directory above it', () => {
    const inner = join(directory, 'inner');
    const file = join(inner, 'file');
    mkdirSync(inner, { mode: 0o755 });
    writeFileSync(file, '', { mode: 0o755 });
    expect(reachableByOthers(file)).toBe(true);
    chmodSync(inner, 0o700);
    expect(reachableByOthers(file)).toBe(false);
    expect(reachableByOthers(inner)).toBe(false);
    chmodSync(inner, 0o711);
    expect(reachableByOthers(file)).toBe(true);
    chmodSync(file, 0o700);
    expect(reachableByOthers(file)).toBe(false);
    expect(reachableByOthers(join(directory, 'none'))).toBe(false);
  });
});

describe('findNode', () => {
  it('is the Node that runs the server', () => {
    const found = findNode({ dropped: false, interpreterDirectory: directory });
    expect(found.description).toContain(process.versions.node);
    expect(found.steps[0]).toMatchObject({ source: process.execPath, readOnly: true });
  });

  it('is a copy where others cannot reach the original', () => {
    const closed = join(directory, 'closed');
    const copies = join(directory, 'copies');
    mkdirSync(closed, { mode: 0o700 });
    const own = join(closed, 'node');
    writeFileSync(own, 'binary', { mode: 0o700 });
    const options = { dropped: true, interpreterDirectory: copies, executable: own };
    const [bind] = findNode(options).steps;
    if (bind?.kind !== 'bind') throw new Error('no bind');
    expect(bind.source.startsWith(copies)).toBe(true);
    expect(statSync(bind.source).mode & 0o777).toBe(0o755);
    expect(findNode(options).steps[0]).toEqual(bind);
  });
});

describe('findPythons', () => {
  it('asks an interpreter for its real installation, and passes over what is none', async () => {
    const shims = join(directory, 'shims');
    const broken = join(directory, 'broken');
    const home = join(directory, 'home');
    const library = join(home, 'lib/python3.12');
    const shared = join(home, 'lib/libpython3.12.so.1.0');
    for (const path of [shims, broken, library, join(home, 'bin'), join(home, 'private')]) {
      mkdirSync(path, { recursive: true });
    }
    const real = join(home, 'bin/python3.12');
    writeFileSync(real, '', { mode: 0o755 });
    writeFileSync(shared, '');
    symlinkSync(shared, join(home, 'lib/libpython3.12.so'));
    const answer = JSON.stringify({
      version: [3, 12, 1],
      prefix: home,
      executable: real,
      library: [library, library, '/usr/lib'],
      mapped: [real, shared, join(library, 'lib-dynload/x.so'), '/usr/lib/libc.so'],
    });
    writeFileSync(join(shims, 'python3'), `#!/bin/sh\necho '${answer}'\n`, { mode: 0o755 });
    writeFileSync(join(broken, 'python3'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const searchPath = `${broken}:${shims}`;
    const isPrivate = () => false;
    const pythons = await findPythons({ dropped: false, searchPath, isPrivate });
    const [found] = pythons;
    expect(found?.description).toBe(`Python 3.12.1 (${real})`);
    const bind = (path: string) => ({
      kind: 'bind',
      source: join(home, path),
      path: join('/opt/python', path),
      readOnly: true,
    });
    expect(found?.steps).toEqual([
      bind('bin/python3.12'),
      bind('lib/python3.12'),
      bind('lib/libpython3.12.so'),
      bind('lib/libpython3.12.so.1.0'),
      { kind: 'symlink', target: '/opt/python/bin/python3.12', path: '/opt/sandbox/bin/python3' },
      { kind: 'symlink', target: '/opt/python/bin/python3.12', path: '/opt/sandbox/bin/python' },
    ]);
    expect(pythons.at(-1)?.steps[0]).toMatchObject({ source: real, path: real });
    const isHome = (path: string) => path === home;
    const elsewhere = await findPythons({ dropped: false, searchPath, isPrivate: isHome });
    expect(elsewhere.map(({ description }) => description)).not.toContain(found?.description);
    chmodSync(home, 0o700);
    const reachable = await findPythons({ dropped: true, searchPath, isPrivate });
    expect(reachable.map(({ description }) => description)).not.toContain(found?.description);
  });
});
