import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openServerLog } from './server-log.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sandgate-log-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('is bounded: a full file is put aside, in place of the one before', async () => {
  const file = join(folder, 'server.log');
  const log = await openServerLog({ level: 'info', file, maxFileBytes: 2_000 });
  for (let line = 0; line < 100; line += 1) {
    log.info({ line }, 'something happened');
    await expect
      .poll(() => readFile(file, 'utf8').catch(() => ''), { interval: 1 })
      .toContain(`"line":${line},`);
  }
  expect((await readdir(folder)).sort()).toEqual(['server.log', 'server.log.1']);
  for (const name of ['server.log', 'server.log.1']) {
    const { size, mode } = await stat(join(folder, name));
    expect(size).toBeLessThanOrEqual(2_000);
    expect(mode & 0o777).toBe(0o600);
  }
  const again = await openServerLog({ level: 'info', file, maxFileBytes: 2_000 });
  again.info('after a restart');
  await expect.poll(() => readFile(file, 'utf8')).toContain('after a restart');
  expect((await stat(file)).size).toBeLessThanOrEqual(2_000);
});
