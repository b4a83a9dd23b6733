import type { UserView } from '@sandgate/server';
import type { Command } from 'commander';
import { addExamples } from '../examples.ts';
import { failure } from '../exit.ts';
import { textOption } from '../key-options.ts';
import { printableInLine } from '../printable.ts';
import { addKeyStoreOptions, administer, type KeyStoreOptions } from '../state-options.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { timeText } from '../time-text.ts';

interface PasswordOptions extends KeyStoreOptions {
  readonly passwordStdin?: true;
  readonly json?: true;
}

interface CreateOptions extends PasswordOptions {
  readonly email: string;
  readonly name?: string;
  readonly owner?: true;
  readonly password: boolean;
}

const userArgument = ['<user>', 'e-mail address, number or 24-digit id of the person'] as const;

/** Twice, since nobody sees what they type; once where it is piped in. */
async function askForPassword(terminal: Terminal, options: PasswordOptions): Promise<string> {
  const password = await terminal.readSecret('Password: ');
  if (options.passwordStdin === true || terminal.secretsArePiped === true) return password;
  if ((await terminal.readSecret('The same again: ')) === password) return password;
  throw failure('These are two different passwords. Nothing was changed.');
}

function userJson({ createdAtMs, lastLoginAtMs, ...user }: UserView): object {
  return {
    ...user,
    createdAt: timeText(createdAtMs),
    lastLoginAt: lastLoginAtMs === null ? null : timeText(lastLoginAtMs),
  };
}

const describeUser = ({ number, email }: UserView): string =>
  `User ${number} (${printableInLine(email)})`;

function userTable(users: readonly UserView[]): string {
  return formatTable(
    ['NO.', 'E-MAIL', 'NAME', 'STATE', 'NAMESPACES', 'LAST LOGIN'],
    users.map((user) => [
      String(user.number),
      user.email,
      user.name,
      user.enabled ? 'active' : 'disabled',
      user.memberships.map(({ namespace, role }) => `${namespace} (${role})`).join(', '),
      user.lastLoginAtMs === null ? 'never' : timeText(user.lastLoginAtMs),
    ]),
  );
}

function addCreate(users: Command, terminal: Terminal): void {
  const command = addKeyStoreOptions(users.command('create'))
    .description(
      'Make an account. The password is asked for, or read from standard input where that is ' +
        'piped; never from an argument, which others see in ps.',
    )
    .requiredOption('--email <address>', 'what they log in with')
    .option('--name <name>', 'what they are called', textOption(100))
    .option('--owner', 'owner of the namespace "default"; else they get one of their own')
    .option('--password-stdin', 'read the password from the first line of standard input')
    .option('--no-password', 'no password: single sign-on only')
    .option('--json', 'print JSON')
    .action(async (options: CreateOptions) => {
      const password = options.password ? await askForPassword(terminal, options) : null;
      const user = await administer(
        terminal,
        options,
        (administration) =>
          administration.createUser({
            email: options.email,
            ...(options.name === undefined ? {} : { name: options.name }),
            password,
            owner: options.owner === true,
          }),
        { create: true },
      );
      if (options.json) terminal.print(JSON.stringify(userJson(user)));
      else terminal.print(`${describeUser(user)} was made, at home in namespace ${user.home}.`);
    });
  addExamples(
    command,
    'msb users create --owner --email you@example.com',
    'pass sandgate | msb users create --email ci@example.com --password-stdin',
  );
}

function addList(users: Command, terminal: Terminal): void {
  const command = addKeyStoreOptions(users.command('list'))
    .description('List accounts, with the role in each namespace.')
    .option('--json', 'print JSON')
    .action(async (options: PasswordOptions) => {
      const found = await administer(terminal, options, (administration) =>
        administration.listUsers(),
      );
      if (options.json) terminal.print(JSON.stringify(found.map(userJson)));
      else terminal.print(found.length === 0 ? 'No users found' : userTable(found));
    });
  addExamples(command, 'msb users list', 'msb users list --json');
}

function addPassword(users: Command, terminal: Terminal): void {
  const command = addKeyStoreOptions(users.command('password'))
    .description('Set a new password. Every session of the person ends.')
    .argument(...userArgument)
    .option('--password-stdin', 'read it from the first line of standard input')
    .option(
      '--hand-over',
      'of an account that came from an invitation: you know whose the address is, and whatever was ' +
        'set up under it before ends (keys, identities; members and invitations of its namespaces)',
    )
    .action(async (reference: string, options: PasswordOptions & { readonly handOver?: true }) => {
      const password = await askForPassword(terminal, options);
      const handOver = options.handOver === true;
      const user = await administer(terminal, options, (administration) =>
        handOver
          ? administration.handOver(reference, password)
          : administration.setPassword(reference, password),
      );
      const left = handOver ? 'nothing of before' : 'no session';
      terminal.print(`${describeUser(user)} has a new password, and ${left}.`);
      if (!user.emailVerified) {
        terminal.note(
          'Nobody has proven this address: keys that were made under it stay, and single sign-on will ' +
            'end this password. With --hand-over all of that ends now.',
        );
      }
    });
  addExamples(
    command,
    'msb users password you@example.com',
    'msb users password invited@example.com --hand-over',
  );
}

function addSwitches(users: Command, terminal: Terminal): void {
  for (const enabled of [false, true]) {
    const name = enabled ? 'enable' : 'disable';
    const command = addKeyStoreOptions(users.command(name))
      .description(
        enabled
          ? 'Switch a disabled account on again.'
          : 'Switch an account off: its sessions end, and its keys are refused.',
      )
      .argument(...userArgument)
      .action(async (reference: string, options: KeyStoreOptions) => {
        const user = await administer(terminal, options, (administration) =>
          administration.setUserEnabled(reference, enabled),
        );
        terminal.print(`${describeUser(user)} is ${name}d.`);
      });
    addExamples(command, `msb users ${name} you@example.com`);
  }
}

function addLogOut(users: Command, terminal: Terminal): void {
  const command = addKeyStoreOptions(users.command('logout'))
    .description('End every session of a person. Their keys stay.')
    .argument(...userArgument)
    .action(async (reference: string, options: KeyStoreOptions) => {
      const ended = await administer(terminal, options, (administration) =>
        administration.endSessions(reference),
      );
      terminal.print(ended === 1 ? '1 session was ended.' : `${ended} sessions were ended.`);
    });
  addExamples(command, 'msb users logout you@example.com');
}

/** `users create | list | password | disable | enable | logout`. */
export function addUsers(parent: Command, terminal: Terminal): void {
  const users = parent.command('users').description('Make, see and change the accounts of people.');
  addCreate(users, terminal);
  addList(users, terminal);
  addPassword(users, terminal);
  addSwitches(users, terminal);
  addLogOut(users, terminal);
}
