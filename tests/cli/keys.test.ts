import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { runInProcess } from '../support/run-in-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder();
let home: string;
let homes = 0;
beforeEach(() => {
  homes += 1;
  home = join(folder, String(homes));
});

const msb = (...args: readonly string[]) => runInProcess(args, home);

const json = async (...args: readonly string[]) => {
  const { exitCode, stdout, stderr } = await msb(...args, '--json');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return JSON.parse(stdout);
};

const create = (...args: readonly string[]) => json('keys', 'create', ...args);

describe('msb keys create', () => {
  it('makes a key that is all that was asked for', async () => {
    const made = await create(
      ...['--name', 'ci', '--description', 'builds', '-n', 'team', '--scopes', 'sandbox:read'],
      ...['--expire', '1h', '--allow-address', '10.0.0.0/8', '2001:db8::1'],
      ...['--limit', 'minute=10,hour=plan,day=none', '--limit', 'quota24h=500'],
    );
    expect(made.token).toMatch(/^msb_[0-9a-f]{48}$/);
    expect(await json('keys', 'show', '1')).toMatchObject({
      name: 'ci',
      description: 'builds',
      namespace: 'team',
      scopes: ['sandbox:read'],
      addressAllowList: ['10.0.0.0/8', '2001:db8::1'],
      limits: { minute: 10, day: null, quota24h: 500 },
      limitsInForce: { minute: 10, hour: 1_000, day: null, quota24h: 500 },
      parentNumber: null,
      lastUsedAt: null,
    });
    expect(Date.parse(made.expiresAt) - Date.parse(made.createdAt)).toBe(3_600_000);
  });

  it('shows the text first, and only there', async () => {
    const { stdout } = await msb('keys', 'create', '--name', 'ci');
    const [, token = ''] = /^Token: +(msb_[0-9a-f]{48})\n/.exec(stdout) ?? [];
    expect(token).not.toBe('');
    const later = await Promise.all([msb('keys', 'show', '1'), msb('keys', 'list')]);
    expect(JSON.stringify(later)).not.toContain(token);
  });

  it.each([
    ['--scopes', 'sandbox:fly'],
    ['--scopes', ''],
    ['--limit', 'minute'],
    ['--limit', 'week=3'],
    ['--limit', 'minute=0'],
    ['--limit', 'minute=1000001'],
    ['--limit', 'minute=1=2'],
    ['--allow-address', '10.0.0.0/33'],
    ['--allow-address', 'localhost'],
    ['--expire', 'never'],
    ['--name', 'x'.repeat(101)],
  ])('takes %s %j for wrong usage', async (option, value) => {
    const { exitCode, stdout, stderr } = await msb('keys', 'create', option, value);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^Error: /);
  });

  it('stores no key as a name or description', async () => {
    const { token } = await create();
    for (const option of ['--name', '--description']) {
      expect((await msb('keys', 'create', option, `for ${token}`)).exitCode).toBe(2);
    }
  });
});

describe('msb keys child', () => {
  it('makes a key that reaches no further than its parent, and dies with it', async () => {
    await create('-n', 'team', '--scopes', 'sandbox:read,sandbox:exec', '--limit', 'minute=10');
    const child = await json('keys', 'child', '1', '--name', 'job');
    expect(child).toMatchObject({
      parentNumber: 1,
      namespace: 'team',
      scopes: ['sandbox:read', 'sandbox:exec'],
    });
    const wider = await msb('keys', 'child', '1', '--scopes', 'file:read', '--limit', 'minute=11');
    expect(wider).toMatchObject({ exitCode: 1, stdout: '' });
    expect(wider.stderr).toContain('the scopes file:read');
    expect(wider.stderr).toContain('a higher limit (minute)');
    await msb('keys', 'update', '1', '--limit', 'minute=3');
    expect((await json('keys', 'show', '2')).limitsInForce.minute).toBe(3);
    expect((await json('keys', 'list', '--parent', '1')).map(numberOf)).toEqual([2]);
    await msb('keys', 'revoke', '1');
    expect((await json('keys', 'show', '2')).state).toBe('revoked');
    expect((await msb('keys', 'child', '1')).stderr).toContain('revoked');
  });

  it('is of one namespace', async () => {
    await create();
    expect(await msb('keys', 'child', '1')).toMatchObject({ exitCode: 1, stdout: '' });
  });
});

const numberOf = ({ number }: { readonly number: number }): number => number;

describe('msb keys update', () => {
  it('changes what is given, and nothing else', async () => {
    const made = await create('-n', 'team', '--name', 'ci', '--limit', 'minute=10,hour=50');
    const changed = await json('keys', 'update', '1', '--limit', 'minute=20,hour=plan');
    expect(changed).toMatchObject({
      name: 'ci',
      limits: { minute: 20 },
      limitsInForce: { minute: 20, hour: 1_000 },
    });
    await msb('keys', 'update', '1', '--expire', '1d', '--allow-address', '192.0.2.1');
    const { token: _, ...unchanged } = made;
    expect(
      await json('keys', 'update', '1', '--expire', 'never', '--allow-address', 'any'),
    ).toEqual({ ...unchanged, limits: { minute: 20 }, limitsInForce: expect.anything() });
  });

  it('is recorded with the names of what was changed', async () => {
    await create();
    await msb('keys', 'update', '1', '--name', 'renamed', '--scopes', 'usage:read');
    const [entry] = await json('audit', 'list', '--action', 'key.update');
    expect(entry).toMatchObject({
      target: 'key:1',
      actor: { kind: 'operator' },
      details: { fields: 'name, scopes' },
    });
  });

  it('changes no revoked key, and wants to be told what to change', async () => {
    await create();
    expect((await msb('keys', 'update', '1')).exitCode).toBe(2);
    await msb('keys', 'revoke', '1');
    const refused = await msb('keys', 'update', '1', '--name', 'again');
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('revoked');
  });
});

it('msb keys list filters by namespace, state and text', async () => {
  await create('--name', 'ci');
  await create('--name', 'Nightly', '-n', 'team');
  await create('--description', 'nightly too', '-n', 'other');
  await create('-n', 'team');
  await msb('keys', 'disable', '1');
  await msb('keys', 'revoke', '3');
  const numbers = async (...args: readonly string[]) =>
    (await json('keys', 'list', ...args)).map(numberOf);
  expect(await numbers()).toEqual([1, 2, 4]);
  expect(await numbers('--all')).toEqual([1, 2, 3, 4]);
  expect(await numbers('-n', 'team')).toEqual([2, 4]);
  expect(await numbers('-n', '*')).toEqual([1]);
  expect(await numbers('--state', 'disabled')).toEqual([1]);
  expect(await numbers('--state', 'revoked')).toEqual([3]);
  expect(await numbers('--search', 'nightly')).toEqual([2]);
  expect(await numbers('--search', 'nightly', '--all')).toEqual([2, 3]);
  expect((await msb('keys', 'list', '-n', 'nowhere')).stderr).toContain("'nowhere' not found");
  expect((await msb('keys', 'list', '--state', 'asleep')).exitCode).toBe(2);
});

it('revokes keys although the configuration is broken', async () => {
  await create('-n', 'team');
  await writeFile(join(home, 'config.json'), '{"port":-1}');
  expect((await msb('keys', 'revoke', '1')).exitCode).toBe(0);
  expect((await msb('keys', 'show', '1')).stderr).toContain('port: must be');
});

describe('msb keys on a terminal', () => {
  const name = 'ci\u001b]0;owned\u0007\nFAKE \u202e';

  it('shows no control characters of a name', async () => {
    await create('--name', name, '--description', name);
    const shown = await Promise.all(
      [['list'], ['show', '1'], ['disable', '1']].map((args) => msb('keys', ...args)),
    );
    for (const { stdout } of shown) {
      expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
      expect(stdout).not.toMatch(/^FAKE/m);
      expect(stdout).toContain('ci\\x1b]0;owned\\x07\\x0aFAKE');
    }
  });

  it('says until when the old text of a rotated key is valid', async () => {
    await create('--expire', '2h');
    const key = await json('keys', 'show', '1');
    expect((await msb('keys', 'rotate', '1')).stderr).toBe('The old text is not valid any more.\n');
    const { stderr } = await msb('keys', 'rotate', '1', '--overlap', '1h');
    const until = Date.parse(/until (\S+)\.\n$/.exec(stderr)?.[1] ?? '');
    expect(Math.abs(until - Date.now() - 3_600_000)).toBeLessThan(60_000);
    const bounded = await msb('keys', 'rotate', '1', '--overlap', '1d');
    expect(bounded.stderr).toContain(key.expiresAt);
  });
});
