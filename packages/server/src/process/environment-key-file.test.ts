import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadEnvironmentKey } from './environment-key-file.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sandgate-environment-key-'));
});
afterEach(() => rm(home, { recursive: true }));

const path = () => join(home, 'environment.key');

it('is made at the first use, for its owner alone, and kept', async () => {
  const key = await loadEnvironmentKey(home);
  expect(key.secret).toHaveLength(32);
  expect((await stat(path())).mode & 0o777).toBe(0o600);
  await chmod(path(), 0o400);
  expect(await loadEnvironmentKey(home)).toEqual(key);
});

it.each(['', 'short\n'])('is refused when its file holds %j, and not replaced', async (text) => {
  await writeFile(path(), text);
  await expect(loadEnvironmentKey(home)).rejects.toMatchObject({ code: 'config_invalid' });
  expect((await stat(path())).size).toBe(text.length);
});
