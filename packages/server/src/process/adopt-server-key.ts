import {
  type Clock,
  createAuditLog,
  SandgateError,
  type ServerKey,
  type Storage,
  serverKeyFingerprint,
} from '@sandgate/core';

export interface AdoptedServerKey {
  readonly serverKey: ServerKey;
  /** How many keys an asked-for reset revoked. */
  readonly revokedKeys: number;
}

/**
 * Makes a server key's text the one that this store's keys are digested with. A store that knows
 * another one is left alone unless a reset was asked for: a wrong environment variable must not cost
 * anybody their keys.
 * @throws SandgateError `server_key_mismatch`
 */
export async function adoptServerKey(
  { storage, clock }: { readonly storage: Storage; readonly clock: Clock },
  text: string,
  { reset = false }: { readonly reset?: boolean } = {},
): Promise<AdoptedServerKey> {
  const secret = Buffer.from(text, 'utf8');
  const fingerprint = serverKeyFingerprint(secret);
  const current = await storage.serverKeys.current();
  if (current !== null && current.fingerprint === fingerprint && !reset) {
    return { serverKey: { version: current.version, secret }, revokedKeys: 0 };
  }
  if (current !== null && !reset) {
    const keys = await storage.keys.countLive();
    throw new SandgateError(
      'server_key_mismatch',
      `This server key is not the one that the ${keys} API keys of this server were made with. ` +
        'Use the right one, or revoke them all and go on with this one: msb server start --reset-key',
    );
  }
  const { record, revokedKeys } = await storage.serverKeys.replace(
    fingerprint,
    clock.nowMs(),
    ({ record: { version }, revokedKeys: revoked }) =>
      createAuditLog({
        audit: storage.audit,
        clock,
        serverKey: () => ({ version, secret }),
      }).append([
        {
          actor: { kind: 'operator' },
          action: 'server_key.reset',
          target: `server_key:${version}`,
          details: { revokedKeys: revoked },
        },
      ]),
  );
  return { serverKey: { version: record.version, secret }, revokedKeys };
}
