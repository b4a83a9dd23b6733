import { createHash, sign } from 'node:crypto';
import type { CallerAssertions, Clock } from '@sandgate/core';
import type { SigningKeyRing } from './signing-key-ring.ts';

export interface CallerAssertionOptions {
  readonly ring: Pick<SigningKeyRing, 'current'>;
  readonly clock: Clock;
  readonly issuer: string;
}

/** Keeps it from passing as an access token, and an access token as this. */
const type = 'sandgate-caller+jwt';
const lifetimeSeconds = 60;

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/**
 * JSON Web Tokens, signed with Ed25519 by the keys of access tokens. Signed here and not by jose, which
 * hands each to a thread: that takes longer than the signature, and there is one for every message.
 */
export function createCallerAssertions(options: CallerAssertionOptions): CallerAssertions {
  const { ring, clock, issuer } = options;
  return {
    async assert({ audience, subject, requestId, body, facts }) {
      const key = await ring.current();
      const issuedAt = Math.floor(clock.nowMs() / 1_000);
      const claims = {
        iss: issuer,
        aud: audience,
        sub: subject,
        iat: issuedAt,
        exp: issuedAt + lifetimeSeconds,
        jti: requestId,
        ...facts,
        body_sha256: createHash('sha256').update(body).digest('base64url'),
      };
      const signed = `${encode({ alg: 'EdDSA', kid: key.id, typ: type })}.${encode(claims)}`;
      return `${signed}.${sign(null, Buffer.from(signed), key.privateKey).toString('base64url')}`;
    },
  };
}
