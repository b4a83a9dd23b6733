import { SandgateError } from '../error/sandgate-error.ts';
import type { Storage } from '../port/storage.ts';
import type { ApiKey } from './api-key.ts';
import type { IssuedKey, KeyChangeDependencies } from './issue-key.ts';
import { digestKeyText } from './key-digest.ts';
import { newKeyText } from './key-text.ts';
import { noteKey } from './note-key.ts';

/**
 * Finds a key by its number or its 24-hex id. A key's own text is refused without being repeated.
 * @throws SandgateError `key_not_found`
 */
export async function findKey(
  { storage }: { readonly storage: Storage },
  reference: string,
): Promise<ApiKey> {
  const key = /^[0-9]{1,15}$/.test(reference)
    ? await storage.keys.findByNumber(Number(reference))
    : /^[0-9a-f]{24}$/.test(reference)
      ? await storage.keys.findById(reference)
      : null;
  if (key !== null) return key;
  throw new SandgateError(
    'key_not_found',
    'API key not found. Name it by its number or its id, as `msb keys list` shows them',
  );
}

/** Final, and effective before this resolves. Revoking a revoked key changes nothing. */
export async function revokeKey(
  dependencies: KeyChangeDependencies,
  reference: string,
): Promise<ApiKey> {
  const { storage, clock, change } = dependencies;
  const key = await findKey(dependencies, reference);
  noteKey(change, key);
  await storage.keys.revoke(key.id, clock.nowMs(), change.append);
  return await findKey(dependencies, key.id);
}

/** @throws SandgateError `key_revoked`: a revoked key stays dead. */
export async function setKeyEnabled(
  dependencies: KeyChangeDependencies,
  reference: string,
  enabled: boolean,
): Promise<ApiKey> {
  const key = await findLivingKey(dependencies, reference);
  await dependencies.storage.keys.setEnabled(key.id, enabled, dependencies.change.append);
  return await findKey(dependencies, key.id);
}

export interface RotationOptions {
  readonly overlapMs?: number;
  /** Of the key that the rotation was decided on, when it was looked at before. */
  readonly expectedRevision?: number;
}

/**
 * Gives a key a new text on the same id, lineage and counters. The old text is valid for
 * `overlapMs` more, and never past the key's own expiry.
 * @throws SandgateError `key_revoked`, or `key_changed` when another rotation came first
 */
export async function rotateKey(
  dependencies: KeyChangeDependencies,
  reference: string,
  { overlapMs = 0, expectedRevision }: RotationOptions = {},
): Promise<IssuedKey> {
  const { storage, clock, randomness, serverKey, change } = dependencies;
  const key = await findLivingKey(dependencies, reference);
  const nowMs = clock.nowMs();
  const text = newKeyText(key.prefix, randomness);
  const rotated = await storage.keys.rotate(
    key.id,
    {
      digest: digestKeyText(serverKey(), text),
      keyId: key.id,
      serverKeyVersion: serverKey().version,
      createdAtMs: nowMs,
      validUntilMs: null,
    },
    {
      lastFour: text.slice(-4),
      overlapUntilMs: overlapMs === 0 ? null : nowMs + overlapMs,
      expectedRevision: expectedRevision ?? key.revision,
    },
    change.append,
  );
  if (!rotated) {
    throw new SandgateError(
      'key_changed',
      'This API key was changed by someone else at the same time. Look at it, and try again',
    );
  }
  return { key: await findKey(dependencies, key.id), text };
}

async function findLivingKey(
  dependencies: KeyChangeDependencies,
  reference: string,
): Promise<ApiKey> {
  const key = await findKey(dependencies, reference);
  noteKey(dependencies.change, key);
  if (key.revokedAtMs === null) return key;
  throw new SandgateError('key_revoked', 'This API key is revoked, and stays so. Make a new one');
}
