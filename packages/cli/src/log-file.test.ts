import { appendFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { followFile, readTail } from './log-file.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sandgate-log-'));
  path = join(folder, 'server.log');
});
afterEach(() => rm(folder, { recursive: true }));

describe('readTail', () => {
  it('is null where there is no file', async () => {
    expect(await readTail(path, 3)).toBeNull();
  });

  it.each([
    ['a\nb\nc\n', 2, 'b\nc\n'],
    ['a\nb\nc', 2, 'b\nc'],
    ['a\nb\nc\n', 9, 'a\nb\nc\n'],
    ['a\nb\nc\n', 0, ''],
    ['\n\n\n', 1, '\n'],
    ['', 5, ''],
    ['a\nb\n', Number.POSITIVE_INFINITY, 'a\nb\n'],
  ])('of %j, %d lines are %j', async (text, lines, expected) => {
    await writeFile(path, text);
    expect(await readTail(path, lines)).toEqual({ text: expected, end: text.length });
  });

  it('finds the beginning of a line that is longer than what is read at once', async () => {
    const long = 'x'.repeat(200_000);
    await writeFile(path, `a\n${long}\nb\n`);
    expect((await readTail(path, 2))?.text).toBe(`${long}\nb\n`);
  });

  it('does not go back beyond where it is told to begin', async () => {
    await writeFile(path, 'old\nnew\n');
    expect((await readTail(path, 9, 4))?.text).toBe('new\n');
  });
});

describe('followFile', () => {
  it('writes what is added, and begins anew with an emptied file', async () => {
    const stop = new AbortController();
    let seen = '';
    let look: () => void = () => {};
    const write = (data: string | Uint8Array) => {
      seen += Buffer.from(data).toString();
      look();
    };
    const untilSeen = (text: string) =>
      new Promise<void>((resolve) => {
        look = () => {
          if (seen === text) resolve();
        };
        look();
      });
    const following = followFile(path, 0, { write }, stop.signal);
    await writeFile(path, 'one\n');
    await untilSeen('one\n');
    await appendFile(path, 'two\n');
    await untilSeen('one\ntwo\n');
    await truncate(path);
    await writeFile(path, '3\n');
    await untilSeen('one\ntwo\n3\n');
    stop.abort();
    await following;
  });
});
