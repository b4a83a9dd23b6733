import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseHome, prepareHome } from './home-directory.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sandgate-home-'));
});
afterEach(() => rm(folder, { recursive: true }));

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

describe('prepareHome', () => {
  it('creates the directory and what is above it, for its owner alone', async () => {
    const home = join(folder, 'a', 'b');
    expect(await prepareHome(home)).toEqual([]);
    expect(await modeOf(home)).toBe(0o700);
    expect(await modeOf(join(home, 'logs'))).toBe(0o700);
    expect(await prepareHome(home)).toEqual([]);
  });

  it('closes a directory that was open to others, and says so', async () => {
    await chmod(folder, 0o755);
    expect((await prepareHome(folder)).join()).toContain('was open to other users');
    expect(await modeOf(folder)).toBe(0o700);
  });

  it('leaves a directory with another purpose alone', async () => {
    await chmod(folder, 0o755);
    await writeFile(join(folder, 'letter.txt'), '');
    await expect(prepareHome(folder)).rejects.toThrow('holds other files');
    expect(await modeOf(folder)).toBe(0o755);
  });

  it('refuses a link, which somebody else may lead elsewhere', async () => {
    await mkdir(join(folder, 'real'), { mode: 0o700 });
    await symlink(join(folder, 'real'), join(folder, 'link'));
    await expect(prepareHome(join(folder, 'link'))).rejects.toThrow('is a symbolic link');
  });

  it('refuses a directory that everybody can replace', async () => {
    const open = join(folder, 'open');
    await mkdir(join(open, 'a', 'home'), { recursive: true, mode: 0o700 });
    await chmod(open, 0o777);
    for (const home of [join(open, 'a', 'home'), join(open, 'new')]) {
      await expect(prepareHome(home)).rejects.toThrow(`is in ${open}, where every user can`);
    }
    await chmod(open, 0o1777);
    expect(await prepareHome(join(open, 'a', 'home'))).toEqual([]);
  });

  it('refuses a directory of another user', async () => {
    // Only root can give a directory away; everybody else can try those of root.
    const isRoot = process.geteuid?.() === 0;
    const home = isRoot ? join(folder, 'given') : '/usr';
    if (isRoot) {
      await mkdir(home, { mode: 0o700 });
      await chown(home, 61_917, 61_917);
    }
    await expect(prepareHome(home)).rejects.toThrow(/belongs to user \d+, and the server runs as/);
    if (isRoot) expect(await readdir(home)).toEqual([]);
  });

  it('refuses a place where no directory can be made, and does not try for ever', async () => {
    await expect(prepareHome('/proc/sandgate/home')).rejects.toMatchObject({
      code: 'config_invalid',
    });
  });

  it('is made once by several at once', async () => {
    const home = join(folder, 'x', 'y', 'z');
    await Promise.all([1, 2, 3, 4].map(() => prepareHome(home)));
    expect(await modeOf(home)).toBe(0o700);
  });

  it('refuses a file in its place', async () => {
    const path = join(folder, 'file');
    await writeFile(path, '');
    await expect(prepareHome(path)).rejects.toThrow(`${path} is not a directory`);
    await expect(prepareHome(join(path, 'x'))).rejects.toMatchObject({ code: 'config_invalid' });
  });
});

describe('chooseHome', () => {
  it('takes the path, else SANDGATE_HOME, else ~/.sandgate', () => {
    expect(chooseHome('/a', { SANDGATE_HOME: '/b' })).toBe('/a');
    expect(chooseHome(undefined, { SANDGATE_HOME: '/b' })).toBe('/b');
    expect(chooseHome(undefined, { SANDGATE_HOME: '' })).toBe(join(homedir(), '.sandgate'));
  });
});
