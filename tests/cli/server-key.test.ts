import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { runInProcess } from '../support/run-in-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder();
const home = join(folder, 'home');
const keyFile = join(folder, 'mounted-secret');
const strayKey = join(home, 'server.key');

const msb = (...args: readonly string[]) => runInProcess(args, home);

beforeAll(async () => {
  await mkdir(home, { mode: 0o700 });
  await writeFile(keyFile, 'a server key from outside', { mode: 0o600 });
  expect(await msb('server', 'keygen', '--key-file', keyFile)).toMatchObject({ exitCode: 0 });
});

it.each([
  ['keys', 'list'],
  ['keys', 'show', '1'],
  ['usage'],
  ['audit', 'list'],
  ['server', 'list'],
])('needs no server key to look: msb %s %s %s', async (...args) => {
  expect(await msb(...args.filter(Boolean))).toMatchObject({ exitCode: 0, stderr: '' });
  expect(existsSync(strayKey)).toBe(false);
});

it.each([
  [['keys', 'revoke', '1']],
  [['keys', 'rotate', '1']],
  [['keys', 'disable', '1']],
  [['server', 'keygen']],
  [['audit', 'verify']],
  [['server', 'start', '--port', '0']],
])('asks for the server key from outside, and makes no other one: %j', async (args) => {
  const { exitCode, stdout, stderr } = await msb(...args);
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  expect(stderr).toContain('--key-file');
  expect(existsSync(strayKey)).toBe(false);
  const keys = JSON.parse((await msb('keys', 'list', '--json', '--key-file', keyFile)).stdout);
  expect(keys).toMatchObject([{ number: 1, state: 'active' }]);
});

it('makes no server key for whoever only looks', async () => {
  const empty = join(folder, 'empty');
  await mkdir(empty, { mode: 0o700 });
  expect(await runInProcess(['keys', 'list'], empty)).toMatchObject({ exitCode: 0 });
  expect(existsSync(join(empty, 'server.key'))).toBe(false);
});
