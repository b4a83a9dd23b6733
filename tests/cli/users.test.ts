import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { runInProcess } from '../support/run-in-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const home = join(temporaryFolder(), 'home');
const secret = 'correct horse battery';
const msb = (...args: readonly string[]) => runInProcess(args, home, { secret });

describe('msb users', () => {
  it('makes the owner of the default namespace, with a password from standard input', async () => {
    const made = await msb('users', 'create', '--owner', '--email', 'You@Example.com');
    expect(made).toMatchObject({
      exitCode: 0,
      stdout: 'User 1 (you@example.com) was made, at home in namespace default.\n',
    });
    const again = await msb('users', 'create', '--owner', '--email', 'other@example.com');
    expect([again.exitCode, again.stderr]).toEqual([
      1,
      'Error: The workspace has an owner, and can have only one\n',
    ]);
  });

  it('makes others at home in a namespace of their own, also without a password', async () => {
    const made = await msb('users', 'create', '--email', 'ann.b@example.com', '--json');
    expect(JSON.parse(made.stdout)).toMatchObject({
      number: 2,
      email: 'ann.b@example.com',
      hasPassword: true,
      home: expect.stringMatching(/^ann-b-[0-9a-f]{8}$/),
    });
    expect(made.stdout).not.toMatch(/argon2|passwordHash/);
    const without = await msb('users', 'create', '--email', 'b@x.org', '--no-password', '--json');
    expect(JSON.parse(without.stdout)).toMatchObject({ hasPassword: false, enabled: true });
  });

  it('refuses a password that is too short and an address that is none, and says neither back', async () => {
    const short = await runInProcess(['users', 'create', '--email', 'c@x.org'], home, {
      secret: 'hunter2',
    });
    expect([short.exitCode, short.stderr]).toEqual([
      1,
      'Error: password: needs 8 characters or more\n',
    ]);
    const address = await msb('users', 'create', '--email', 'nobody');
    expect(address.stderr).toMatch(/^Error: email: is no e-mail address/);
    expect((await msb('users', 'create')).exitCode).toBe(2);
  });

  it('hands an account whose address nobody has proven over to its owner', async () => {
    const known = await msb('users', 'password', 'ann.b@example.com', '--hand-over');
    expect([known.exitCode, known.stderr]).toEqual([
      1,
      'Error: The address of this account is proven already. Nothing was changed: set the password alone\n',
    ]);
    const database = new DatabaseSync(join(home, 'sandgate.db'));
    database.exec("update users set email_verified = 0 where email = 'b@x.org'");
    database.close();
    const reset = await msb('users', 'password', 'b@x.org');
    expect(reset.stderr).toMatch(/Nobody has proven this address/);
    const handed = await msb('users', 'password', 'b@x.org', '--hand-over');
    expect([handed.exitCode, handed.stdout, handed.stderr]).toEqual([
      0,
      'User 3 (b@x.org) has a new password, and nothing of before.\n',
      '',
    ]);
  });

  it('lists people with their roles, and records every change', async () => {
    for (const change of [['disable'], ['enable'], ['password', '--password-stdin'], ['logout']]) {
      const [name = '', ...options] = change;
      expect((await msb('users', name, 'ann.b@example.com', ...options)).exitCode).toBe(0);
    }
    const { stdout } = await msb('users', 'list');
    expect(stdout).toMatch(/1 +you@example.com +active +default \(owner\) +never/);
    expect((await msb('users', 'disable', 'nobody@example.com')).stderr).toMatch(/no such user/);
    const audit = (await msb('audit', 'list', '--json')).stdout;
    for (const action of ['user.create', 'user.disable', 'user.enable', 'user.password']) {
      expect(audit).toContain(`"action":"${action}"`);
    }
  });
});
