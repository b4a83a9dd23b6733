import { createPrivateKey, type KeyObject } from 'node:crypto';
import {
  type Clock,
  openSealedText,
  type Randomness,
  type ServerKey,
  type SigningKeyRecord,
  type SigningKeyStore,
  sealText,
} from '@sandgate/core';
import { exportJWK, generateKeyPair, type JWK } from 'jose';

export interface SigningKey {
  readonly id: string;
  readonly publicKey: JWK;
  readonly privateKey: KeyObject;
  readonly serverKeyVersion: number;
  readonly createdAtMs: number;
}

export interface SigningKeyRingDependencies {
  readonly store: SigningKeyStore;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly serverKey: () => ServerKey;
  /** How long a key signs. Then the next one does, and it only verifies. */
  readonly rotateAfterMs: number;
  /** How long what a key signed is valid. */
  readonly tokenMs: number;
}

/** The keys that sign access tokens: the newest signs, and each verifies while its tokens live. */
export interface SigningKeyRing {
  /** The one that signs now, made when there is none. */
  current(): Promise<SigningKey>;
  /** The one of that id, or null. */
  find(id: string): Promise<SigningKey | null>;
  /** Whether the key of that id verifies, of those that are known already. */
  holds(id: string): boolean;
  /** All that verify, newest first. */
  all(): Promise<readonly SigningKey[]>;
}

/** Another process may have made a key. A stranger who invents ids must not cost a look-up each. */
const reloadEveryMs = 5_000;
const purpose = 'access token signing keys';
/** For clocks that differ. */
const marginMs = 60_000;

export function createSigningKeyRing(dependencies: SigningKeyRingDependencies): SigningKeyRing {
  const { store, clock, randomness, serverKey, rotateAfterMs, tokenMs } = dependencies;
  let keys: readonly SigningKey[] = [];
  let loadedAtMs = Number.NEGATIVE_INFINITY;
  let making: Promise<SigningKey> | null = null;

  const usable = (): readonly SigningKey[] => {
    const nowMs = clock.nowMs();
    const { version } = serverKey();
    return keys.filter(
      (key) =>
        key.serverKeyVersion === version &&
        nowMs - key.createdAtMs < rotateAfterMs + tokenMs + marginMs,
    );
  };

  const load = async (): Promise<void> => {
    loadedAtMs = clock.nowMs();
    const current = serverKey();
    const records = await store.list();
    keys = records
      .filter(({ serverKeyVersion }) => serverKeyVersion === current.version)
      .map((record) => openKey(record, current));
  };

  const signing = (): SigningKey | undefined =>
    usable().find(({ createdAtMs }) => clock.nowMs() - createdAtMs < rotateAfterMs);

  const make = async (): Promise<SigningKey> => {
    await load();
    const known = signing();
    if (known !== undefined) return known;
    const nowMs = clock.nowMs();
    const { version } = serverKey();
    await store.prune(version, nowMs - rotateAfterMs - tokenMs - marginMs);
    const record = await newKey(randomness, serverKey(), nowMs);
    await store.insert(record, nowMs - rotateAfterMs);
    await load();
    const made = signing();
    if (made === undefined) throw new Error('A signing key vanished while it was stored.');
    return made;
  };

  return {
    async current() {
      const known = signing();
      if (known !== undefined) return known;
      making ??= make().finally(() => {
        making = null;
      });
      return await making;
    },
    async find(id) {
      const known = usable().find((key) => key.id === id);
      if (known !== undefined) return known;
      if (clock.nowMs() - loadedAtMs < reloadEveryMs) return null;
      await load();
      return usable().find((key) => key.id === id) ?? null;
    },
    holds: (id) => usable().some((key) => key.id === id),
    async all() {
      await this.current();
      return usable();
    },
  };
}

async function newKey(
  randomness: Randomness,
  serverKey: ServerKey,
  nowMs: number,
): Promise<SigningKeyRecord> {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  const id = Buffer.from(randomness.bytes(12)).toString('base64url');
  const text = JSON.stringify(await exportJWK(privateKey));
  const sealed = sealText(text, { serverKey, purpose, about: id }, randomness);
  return {
    id,
    publicKey: JSON.stringify(await exportJWK(publicKey)),
    sealedPrivateKey: sealed,
    serverKeyVersion: serverKey.version,
    createdAtMs: nowMs,
  };
}

function openKey(record: SigningKeyRecord, serverKey: ServerKey): SigningKey {
  const { id, publicKey, sealedPrivateKey, serverKeyVersion, createdAtMs } = record;
  const jwk = JSON.parse(openSealedText(sealedPrivateKey, { serverKey, purpose, about: id }));
  return {
    id,
    publicKey: JSON.parse(publicKey) as JWK,
    privateKey: createPrivateKey({ key: jwk, format: 'jwk' }),
    serverKeyVersion,
    createdAtMs,
  };
}
