import type { AccessClaims, AccessTokens, Clock } from '@sandgate/core';
import {
  errors,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  jwtVerify,
  SignJWT,
} from 'jose';
import { grantClaim, resourcePathOf } from './oauth/resource-path.ts';
import type { SigningKeyRing } from './signing-key-ring.ts';

export interface AccessTokenOptions {
  readonly ring: SigningKeyRing;
  readonly clock: Clock;
  readonly issuer: string;
  readonly lifetimeMs: number;
  /** Empty, where this server does not know how it is reached. */
  readonly publicUrl: string;
}

export interface JsonWebTokens extends AccessTokens {
  /** The public keys (RFC 7517), for whoever verifies the tokens elsewhere. */
  keySet(): Promise<{ readonly keys: readonly JWK[] }>;
}

const algorithm = 'EdDSA';
/** RFC 9068, 2.1: keeps other kinds of JSON Web Token from passing as access tokens. */
const type = 'at+jwt';
const audience = 'sandgate';
/** Verified tokens that are remembered: to check a signature costs more than the rest of a call. */
const mostRemembered = 10_000;

function grantClaims(payload: JWTPayload, publicUrl: string): AccessClaims | null {
  const { iss = '', aud, exp = 0, [grantClaim]: grantId } = payload;
  const resource = typeof aud === 'string' ? resourcePathOf(aud, publicUrl || iss) : null;
  if (publicUrl !== '' && iss !== publicUrl) return null;
  if (resource === null || typeof grantId !== 'string') return null;
  return { kind: 'grant', grantId, resource, expiresAtMs: exp * 1_000 };
}

/** JSON Web Tokens, signed with Ed25519. */
export function createAccessTokens(options: AccessTokenOptions): JsonWebTokens {
  const { ring, clock, issuer, lifetimeMs, publicUrl } = options;
  const remembered = new Map<string, { readonly claims: AccessClaims; readonly keyId: string }>();

  const keyOf = async ({ kid }: JWTHeaderParameters): Promise<JWK> => {
    // The id is looked up among our own keys, and nothing else of the header chooses a key.
    const key = kid === undefined ? null : await ring.find(kid);
    if (key === null) throw new errors.JWKSNoMatchingKey();
    return key.publicKey;
  };

  const read = async (text: string): Promise<AccessClaims | null> => {
    try {
      const { payload, protectedHeader } = await jwtVerify(text, keyOf, {
        algorithms: [algorithm],
        typ: type,
        requiredClaims: ['iss', 'aud', 'sub', 'exp', 'iat'],
        currentDate: new Date(clock.nowMs()),
      });
      const claims =
        payload.aud === audience ? sessionClaims(payload) : grantClaims(payload, publicUrl);
      if (claims !== null) remember(text, claims, protectedHeader.kid ?? '');
      return claims;
    } catch (error) {
      if (error instanceof errors.JOSEError) return null;
      throw error;
    }
  };

  const sessionClaims = ({ iss, sub, sid, exp = 0 }: JWTPayload): AccessClaims | null =>
    iss === issuer && typeof sub === 'string' && typeof sid === 'string'
      ? { kind: 'session', userId: sub, sessionId: sid, expiresAtMs: exp * 1_000 }
      : null;

  const remember = (text: string, claims: AccessClaims, keyId: string): void => {
    remembered.set(text, { claims, keyId });
    if (remembered.size <= mostRemembered) return;
    for (const oldest of remembered.keys()) {
      remembered.delete(oldest);
      break;
    }
  };

  return {
    async issue({ userId, sessionId }) {
      const key = await ring.current();
      const issuedAt = Math.floor(clock.nowMs() / 1_000);
      return await new SignJWT({ sid: sessionId })
        .setProtectedHeader({ alg: algorithm, kid: key.id, typ: type })
        .setSubject(userId)
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + lifetimeMs / 1_000)
        .sign(key.privateKey);
    },
    verify(text) {
      const known = remembered.get(text);
      if (known === undefined) return read(text);
      if (known.claims.expiresAtMs > clock.nowMs() && ring.holds(known.keyId)) return known.claims;
      remembered.delete(text);
      return null;
    },
    async keySet() {
      const keys = await ring.all();
      return {
        keys: keys.map(({ id, publicKey }) => ({
          ...publicKey,
          kid: id,
          use: 'sig',
          alg: algorithm,
        })),
      };
    },
  };
}
