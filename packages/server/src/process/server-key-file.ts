import { randomBytes } from 'node:crypto';
import { chmod, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SandgateError, serverKeyFingerprint } from '@sandgate/core';
import { createFile, hasCode, replaceFile } from './write-file-atomically.ts';

/** Where the server key comes from. */
export type ServerKeySource =
  /** `server.key` in the home, made at the first use. */
  | { readonly kind: 'home' }
  | { readonly kind: 'environment'; readonly text: string }
  | { readonly kind: 'file'; readonly path: string }
  /** Typed as `--key`; stored in the home like one made there. */
  | { readonly kind: 'argument'; readonly text: string };

export interface LoadedServerKey {
  /** The key itself: UTF-8 text without surrounding white space. */
  readonly text: string;
  /** For the operator. None contains the key. */
  readonly warnings: readonly string[];
}

const secretBytes = 32;
const minCharacters = 16;

const serverKeyPath = (home: string): string => join(home, 'server.key');

/** 256 random bits in base64url. */
export function newServerKeyText(): string {
  return randomBytes(secretBytes).toString('base64url');
}

/**
 * Picks the one source that was named, the home by default.
 * @throws SandgateError `config_invalid` when two are named.
 */
export function chooseServerKeySource(named: {
  readonly argument?: string | undefined;
  readonly keyFile?: string | undefined;
  /** SANDGATE_SERVER_KEY */
  readonly environment?: string | undefined;
}): ServerKeySource {
  const { argument, keyFile, environment } = named;
  if (argument !== undefined && keyFile !== undefined) {
    throw new SandgateError('config_invalid', 'Give --key or --key-file, not both.');
  }
  if (argument !== undefined) return { kind: 'argument', text: argument };
  if (keyFile !== undefined) return { kind: 'file', path: keyFile };
  if (environment) return { kind: 'environment', text: environment };
  return { kind: 'home' };
}

function requireStrength(text: string, origin: string): void {
  if (text.length >= minCharacters) return;
  throw new SandgateError(
    'config_invalid',
    `The server key from ${origin} has ${text.length} characters, and needs at least ` +
      `${minCharacters}. 'openssl rand -base64 32' makes a good one.`,
  );
}

async function readKeyFile(path: string): Promise<string> {
  const text = (await readFile(path, 'utf8')).trim();
  requireStrength(text, path);
  return text;
}

const isOpenToOthers = async (path: string): Promise<boolean> =>
  ((await stat(path)).mode & 0o077) !== 0;

async function loadFromHome(home: string, create: boolean): Promise<LoadedServerKey> {
  const path = serverKeyPath(home);
  if (!(await exists(path))) {
    if (!create) {
      throw new SandgateError(
        'server_key_mismatch',
        `The API keys of ${home} were made with a server key that is not in it. Give that one with ` +
          '--key-file or SANDGATE_SERVER_KEY. If it is lost, revoke them all and go on with a new ' +
          'one: msb server start --reset-key',
      );
    }
    await createFile(path, `${newServerKeyText()}\n`);
  }
  const warnings: string[] = [];
  if (await isOpenToOthers(path)) {
    await chmod(path, 0o600);
    warnings.push(
      `${path} was open to other users of this machine. It is closed to them now; if one of them ` +
        'may have read it, reset it with: msb server start --reset-key',
    );
  }
  return { text: await readKeyFile(path), warnings };
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** A file of the operator's own, such as a mounted secret: read, and never changed. */
async function loadFromFile(path: string): Promise<LoadedServerKey> {
  let text: string;
  try {
    text = await readKeyFile(path);
  } catch (error) {
    if (error instanceof SandgateError) throw error;
    throw new SandgateError(
      'config_invalid',
      `The server key file ${path} cannot be read. Check the path and its permissions.`,
      { detail: String(error), cause: error },
    );
  }
  const warnings = (await isOpenToOthers(path))
    ? [`${path} can be read by other users of this machine. Close it with: chmod 600 ${path}`]
    : [];
  return { text, warnings };
}

function loadFromArgument(typed: string): LoadedServerKey {
  const text = typed.trim();
  if (text.length === 0) throw new SandgateError('config_invalid', '--key is empty.');
  const warnings = [
    'A key given as --key can be seen by other users of this machine in ps and in the history of ' +
      'the shell. --key-file keeps it to itself.',
  ];
  if (text.length < minCharacters) {
    warnings.push(
      `The server key has only ${text.length} characters, so that it can be guessed from a copy of ` +
        `the database. Use at least ${minCharacters}.`,
    );
  }
  return { text, warnings };
}

/**
 * Reads the server key. With `create`, one is made where the home has none yet: never beside a store
 * whose keys were made with another one.
 * @throws SandgateError `config_invalid` when it is missing, unreadable or too short;
 * `server_key_mismatch` when the home has none and none may be made.
 */
export async function loadServerKey(
  home: string,
  source: ServerKeySource,
  { create }: { readonly create: boolean },
): Promise<LoadedServerKey> {
  switch (source.kind) {
    case 'home':
      return loadFromHome(home, create);
    case 'file':
      return loadFromFile(source.path);
    case 'argument':
      return loadFromArgument(source.text);
    case 'environment': {
      const text = source.text.trim();
      requireStrength(text, 'SANDGATE_SERVER_KEY');
      return { text, warnings: [] };
    }
  }
}

/** Writes the home's server key in one step. The API keys of another one are worthless with it. */
export async function storeServerKey(home: string, text: string): Promise<void> {
  await replaceFile(serverKeyPath(home), `${text}\n`);
}

const nextKeyPath = (home: string): string => join(home, 'server.key.next');

/** Keeps a key that is about to replace the home's, so that a crash in between loses neither. */
export async function stageServerKey(home: string, text: string): Promise<void> {
  await replaceFile(nextKeyPath(home), `${text}\n`);
}

/**
 * Makes a staged key the home's when the store has it already, by its fingerprint. One that the
 * store never took is left for the next reset to replace.
 */
export async function settleServerKey(home: string, fingerprint: string | null): Promise<void> {
  const path = nextKeyPath(home);
  const text = (await readFile(path, 'utf8').catch(() => '')).trim();
  if (text === '' || serverKeyFingerprint(Buffer.from(text, 'utf8')) !== fingerprint) return;
  await storeServerKey(home, text);
  await rm(path, { force: true });
}
