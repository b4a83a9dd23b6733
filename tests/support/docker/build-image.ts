import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestDocker } from './start-docker.ts';

/** What the tests of engines run in a sandbox. */
const programs = [
  ...[
    'sh',
    'cat',
    'head',
    'tail',
    'tr',
    'ls',
    'stat',
    'df',
    'du',
    'env',
    'printf',
    'echo',
    'id',
    'wc',
  ],
  ...[
    'mkdir',
    'mkfifo',
    'mktemp',
    'chmod',
    'chown',
    'touch',
    'mv',
    'cp',
    'rm',
    'rmdir',
    'ln',
    'readlink',
  ],
  ...[
    'truncate',
    'sleep',
    'setsid',
    'kill',
    'true',
    'false',
    'pwd',
    'yes',
    'seq',
    'sort',
    'cut',
    'dd',
  ],
  ...[
    'grep',
    'od',
    'xargs',
    'printenv',
    'script',
    'cksum',
    'sed',
    'find',
    'tar',
    'stty',
    'tty',
    'unshare',
    'mount',
    'umount',
    'mknod',
    'chroot',
    'hostname',
    'basename',
    'dirname',
    'uname',
    'date',
    'test',
    'expr',
    'realpath',
  ],
];

const sources = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'];

/**
 * Makes an image out of this machine's own programs: a shell, coreutils, Debian's Python and the Node
 * that runs the tests. Needs no registry.
 */
export function buildImage(docker: TestDocker, tag: string): void {
  const root = mkdtempSync(join(tmpdir(), 'sg-image-'));
  try {
    for (const name of ['usr/bin', 'usr/lib', 'etc', 'home/sandbox', 'tmp', 'opt', 'workspace']) {
      mkdirSync(join(root, name), { recursive: true });
    }
    for (const name of ['bin', 'lib', 'lib64'])
      symlinkSync(name === 'bin' ? 'usr/bin' : 'usr/lib', join(root, name));
    const executables = copyPrograms(root, programs);
    const python = realpathSync('/usr/bin/python3');
    const interpreters = [['python3', python] as const, ['node', process.execPath] as const];
    for (const [name, path] of interpreters) copyProgram(root, name, path);
    symlinkSync('python3', join(root, 'usr/bin/python'));
    const version = python.slice(python.lastIndexOf('python'));
    const library = join('usr/lib', version);
    cpSync(join('/', library), join(root, library), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) =>
        !/\/(__pycache__|test|tests|idlelib|lib2to3|ensurepip|config-[^/]*|dist-packages)$/.test(
          path,
        ),
    });
    const extensions = join(root, library, 'lib-dynload');
    const native = spawnSync('find', [extensions, '-name', '*.so'], {
      encoding: 'utf8',
    }).stdout.split('\n');
    const loaded = [...executables, ...interpreters.map(([, path]) => path)];
    copyLibraries(root, [...loaded, ...native.filter((path) => path !== '')]);
    writeFileSync(join(root, 'etc/passwd'), 'sandbox:x:1000:1000:sandbox:/home/sandbox:/bin/sh\n');
    writeFileSync(join(root, 'etc/group'), 'sandbox:x:1000:\n');
    chmodSync(join(root, 'tmp'), 0o1777);
    const archive = join(root, 'image.tar');
    const add = (mode: string, owner: number, ...words: readonly string[]): void => {
      const owned = ['--numeric-owner', `--owner=${owner}`, `--group=${owner}`];
      execFileSync('tar', [...owned, '-C', root, mode, archive, ...words]);
    };
    add('-cf', 0, './usr');
    add('-rf', 1_000, '--exclude=./usr', '--exclude=./image.tar', '.');
    docker.docker('import', '--change', 'ENV PATH=/usr/bin:/bin', archive, tag);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Copies those of these programs that the machine has into `usr/bin`; where they are on the machine. */
function copyPrograms(root: string, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const found = sources.map((folder) => join(folder, name)).find(existsSync);
    if (found === undefined) return [];
    const path = realpathSync(found);
    copyProgram(root, name, path);
    return [path];
  });
}

function copyProgram(root: string, name: string, path: string): void {
  cpSync(path, join(root, 'usr/bin', name));
  chmodSync(join(root, 'usr/bin', name), 0o755);
}

/** An archive of a root with no more than a sandbox is run with, and these programs. */
export function smallRoot(...names: readonly string[]): Buffer {
  const root = mkdtempSync(join(tmpdir(), 'sg-root-'));
  try {
    for (const name of ['usr/bin', 'usr/lib']) mkdirSync(join(root, name), { recursive: true });
    for (const name of ['bin', 'lib', 'lib64']) {
      symlinkSync(name === 'bin' ? 'usr/bin' : 'usr/lib', join(root, name));
    }
    const needed = ['sh', 'env', 'setsid', 'mkdir', 'tar', 'find', 'dd', 'df', 'mv', 'rm', 'chmod'];
    copyLibraries(root, copyPrograms(root, [...needed, ...names]));
    return execFileSync('tar', ['--numeric-owner', '--owner=0', '-C', root, '-cf', '-', '.'], {
      maxBuffer: 256 * 1_048_576,
    });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Copies the shared libraries of programs, by the names under which they are asked for. */
function copyLibraries(root: string, executables: readonly string[]): void {
  const { stdout } = spawnSync('ldd', executables, { encoding: 'utf8' });
  const paths = new Set(
    [...stdout.matchAll(/(\/[^\s:()]+\.so[^\s:()]*)(?= \()/g)].map(([path]) => path),
  );
  for (const path of paths) {
    const target = join(root, 'usr/lib', path.slice(path.lastIndexOf('/') + 1));
    if (!existsSync(target)) cpSync(realpathSync(path), target);
  }
}
