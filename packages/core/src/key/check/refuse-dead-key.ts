import { SandgateError } from '../../error/sandgate-error.ts';
import type { CheckStep } from './check.ts';
import { invalidCredential } from './parse-credential.ts';

/** Revoked, expired, past a rotation's overlap, made under an older server key, or disabled. */
export const refuseDeadKey: CheckStep = (check) => {
  const { key, secret, dependencies } = check;
  if (key === null || secret === null) return invalidCredential();
  const nowMs = dependencies.clock.nowMs();
  const dead =
    key.revokedAtMs !== null ||
    (key.expiresAtMs !== null && key.expiresAtMs <= nowMs) ||
    (secret.validUntilMs !== null && secret.validUntilMs <= nowMs) ||
    secret.serverKeyVersion !== dependencies.serverKey().version;
  if (dead) return invalidCredential();
  return key.enabled ? null : new SandgateError('key_disabled', 'API key is inactive');
};
