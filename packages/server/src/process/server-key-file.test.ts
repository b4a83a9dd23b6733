import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serverKeyFingerprint } from '@sandgate/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  chooseServerKeySource,
  loadServerKey as loadServerKeyOr,
  newServerKeyText,
  type ServerKeySource,
  settleServerKey,
  stageServerKey,
  storeServerKey,
} from './server-key-file.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sandgate-key-'));
});
afterEach(() => rm(home, { recursive: true }));

const loadServerKey = (path: string, source: ServerKeySource) =>
  loadServerKeyOr(path, source, { create: true });
const modeOf = async (path: string) => (await stat(path)).mode & 0o777;
const keyPath = () => join(home, 'server.key');

describe('the server key of a home', () => {
  it('is made at the first use, for its owner alone, and kept', async () => {
    const first = await loadServerKey(home, { kind: 'home' });
    expect(Buffer.from(first.text, 'base64url')).toHaveLength(32);
    expect(first.warnings).toEqual([]);
    expect(await modeOf(keyPath())).toBe(0o600);
    expect(await loadServerKey(home, { kind: 'home' })).toEqual(first);
  });

  it('is not made where there must be one already', async () => {
    await expect(loadServerKeyOr(home, { kind: 'home' }, { create: false })).rejects.toMatchObject({
      code: 'server_key_mismatch',
    });
    await expect(stat(keyPath())).rejects.toThrow('ENOENT');
  });

  it('is the same for all that make it at once', async () => {
    const keys = await Promise.all(
      Array.from({ length: 8 }, () => loadServerKey(home, { kind: 'home' })),
    );
    expect(new Set(keys.map(({ text }) => text)).size).toBe(1);
  });

  it('is closed to others when it was open, with a warning', async () => {
    await loadServerKey(home, { kind: 'home' });
    await chmod(keyPath(), 0o644);
    const { text, warnings } = await loadServerKey(home, { kind: 'home' });
    expect(warnings.join()).toContain('was open to other users');
    expect(warnings.join()).not.toContain(text);
    expect(await modeOf(keyPath())).toBe(0o600);
  });

  it('is replaced as a whole', async () => {
    const old = await loadServerKey(home, { kind: 'home' });
    const text = newServerKeyText();
    await storeServerKey(home, text);
    expect((await loadServerKey(home, { kind: 'home' })).text).toBe(text);
    expect(text).not.toBe(old.text);
    expect(await modeOf(keyPath())).toBe(0o600);
  });

  it('survives a crash in the middle of a reset, whichever side of the store it is on', async () => {
    const old = await loadServerKey(home, { kind: 'home' });
    const next = newServerKeyText();
    await stageServerKey(home, next);
    await settleServerKey(home, serverKeyFingerprint(Buffer.from(old.text)));
    expect((await loadServerKey(home, { kind: 'home' })).text).toBe(old.text);
    expect(await modeOf(join(home, 'server.key.next'))).toBe(0o600);
    await settleServerKey(home, serverKeyFingerprint(Buffer.from(next)));
    expect((await loadServerKey(home, { kind: 'home' })).text).toBe(next);
    await expect(stat(join(home, 'server.key.next'))).rejects.toThrow('ENOENT');
  });

  it.each(['', '\n', 'short\n'])('is refused when its file holds %j', async (text) => {
    await writeFile(keyPath(), text, { mode: 0o600 });
    await expect(loadServerKey(home, { kind: 'home' })).rejects.toMatchObject({
      code: 'config_invalid',
    });
  });
});

describe('a server key from elsewhere', () => {
  const good = 'sixteen characters or more';

  it('is read from a file, which is not changed', async () => {
    const path = join(home, 'mounted');
    await writeFile(path, `${good}\n`, { mode: 0o644 });
    const key = await loadServerKey(home, { kind: 'file', path });
    expect(key.text).toBe(good);
    expect(key.warnings.join()).toContain('chmod 600');
    expect(await modeOf(path)).toBe(0o644);
    expect(await readFile(path, 'utf8')).toBe(`${good}\n`);
  });

  it('is refused when the file is not there', async () => {
    const path = join(home, 'absent');
    await expect(loadServerKey(home, { kind: 'file', path })).rejects.toThrow(path);
  });

  it('is refused from the environment when it is short', async () => {
    expect((await loadServerKey(home, { kind: 'environment', text: good })).text).toBe(good);
    await expect(loadServerKey(home, { kind: 'environment', text: 'short' })).rejects.toThrow(
      'SANDGATE_SERVER_KEY has 5 characters',
    );
  });

  it('is taken from the command line with warnings, short or not', async () => {
    const long = await loadServerKey(home, { kind: 'argument', text: good });
    expect(long.warnings).toHaveLength(1);
    const short = await loadServerKey(home, { kind: 'argument', text: 'hunter2' });
    expect(short.warnings).toHaveLength(2);
    expect(short.warnings.join()).not.toContain('hunter2');
    await expect(loadServerKey(home, { kind: 'argument', text: ' ' })).rejects.toThrow('empty');
  });
});

describe('chooseServerKeySource', () => {
  it('prefers what was typed over the environment, and the home to nothing', () => {
    expect(chooseServerKeySource({})).toEqual({ kind: 'home' });
    expect(chooseServerKeySource({ environment: '' })).toEqual({ kind: 'home' });
    expect(chooseServerKeySource({ environment: 'e' })).toMatchObject({ kind: 'environment' });
    expect(chooseServerKeySource({ keyFile: 'f', environment: 'e' })).toMatchObject({
      kind: 'file',
    });
    expect(chooseServerKeySource({ argument: 'a', environment: 'e' })).toMatchObject({
      kind: 'argument',
    });
  });

  it('refuses two at once', () => {
    expect(() => chooseServerKeySource({ argument: 'a', keyFile: 'f' })).toThrow('not both');
  });
});
