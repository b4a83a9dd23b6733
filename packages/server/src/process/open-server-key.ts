import { type Clock, SandgateError, type Storage, serverKeyFingerprint } from '@sandgate/core';
import { type AdoptedServerKey, adoptServerKey } from './adopt-server-key.ts';
import {
  loadServerKey,
  newServerKeyText,
  type ServerKeySource,
  settleServerKey,
  stageServerKey,
  storeServerKey,
} from './server-key-file.ts';

/** What the key of a home is made right with. */
export interface ServerKeyPlace {
  readonly home: string;
  readonly source: ServerKeySource;
  readonly storage: Storage;
  readonly clock: Clock;
}

export interface OpenedServerKey extends AdoptedServerKey {
  readonly warnings: readonly string[];
}

/**
 * The server key, made where the home has never had one. One that came as `--key` is kept in the home, as
 * documented, once the store accepts it.
 * @throws SandgateError `config_invalid`, `server_key_mismatch`
 */
export async function openServerKey(
  place: ServerKeyPlace,
  { reset = false }: { readonly reset?: boolean } = {},
): Promise<OpenedServerKey> {
  const { home, source, storage } = place;
  if (reset && source.kind === 'home') return { ...(await replaceServerKey(place)), warnings: [] };
  const current = await storage.serverKeys.current();
  if (source.kind === 'home') await settleServerKey(home, current?.fingerprint ?? null);
  const { text, warnings } = await loadServerKey(home, source, { create: current === null });
  const adopted = await adoptServerKey(place, text, { reset });
  if (source.kind === 'argument') await storeServerKey(home, text);
  return { ...adopted, warnings };
}

/**
 * Makes a new one, and revokes every key. It is on disk before the store takes it: after a crash the next
 * start finds the right one.
 * @throws SandgateError `config_invalid` where the key comes from outside the home
 */
export async function replaceServerKey(place: ServerKeyPlace): Promise<AdoptedServerKey> {
  const { home, source } = place;
  if (source.kind === 'environment' || source.kind === 'file') {
    throw new SandgateError(
      'config_invalid',
      'This server gets its key from outside its home. Change the key there, and start with --reset-key',
    );
  }
  const text = newServerKeyText();
  await stageServerKey(home, text);
  const adopted = await adoptServerKey(place, text, { reset: true });
  await settleServerKey(home, serverKeyFingerprint(adopted.serverKey.secret));
  return adopted;
}
