import { type IdentityProvider, type ProvenIdentity, SandgateError } from '@sandgate/core';
import * as client from 'openid-client';

export interface OidcOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Every address that it tells counts as verified: for a directory that hands them out itself. */
  readonly trustEmail: boolean;
}

const timeoutSeconds = 10;
const loopback = /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:|\/|$)/;

/** OpenID Connect, by code with PKCE, state and nonce, and with the token's signature checked. */
export function createOidcProvider(options: OidcOptions): IdentityProvider {
  const { issuer, clientId, clientSecret, trustEmail } = options;
  let discovered: Promise<client.Configuration> | null = null;

  const discover = (): Promise<client.Configuration> => {
    discovered ??= client
      .discovery(new URL(issuer), clientId, clientSecret, undefined, {
        timeout: timeoutSeconds,
        execute: [
          client.enableNonRepudiationChecks,
          ...(loopback.test(issuer) ? [client.allowInsecureRequests] : []),
        ],
      })
      .catch((error: unknown) => {
        // The provider may be back for the next person.
        discovered = null;
        throw error;
      });
    return discovered;
  };

  return {
    async authorizationUrl({ state, nonce, codeVerifier }, redirectUri) {
      const configuration = await trusted(discover());
      return client.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        scope: 'openid email profile',
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
      }).href;
    },
    async identify({ state, nonce, codeVerifier }, callback) {
      const configuration = await trusted(discover());
      const tokens = await trusted(
        client.authorizationCodeGrant(configuration, callback, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: codeVerifier,
          idTokenExpected: true,
        }),
      );
      const claims = tokens.claims();
      if (claims === undefined) throw refused();
      const told = emailIn(claims)
        ? claims
        : await trusted(client.fetchUserInfo(configuration, tokens.access_token, claims.sub));
      return toIdentity(claims.sub, told, trustEmail);
    },
  };
}

type PersonClaims = Readonly<Record<string, unknown>>;

const emailIn = ({ email }: PersonClaims): boolean => typeof email === 'string';

function toIdentity(subject: string, told: PersonClaims, trustEmail: boolean): ProvenIdentity {
  const email = typeof told.email === 'string' ? told.email : null;
  return {
    subject,
    email,
    emailVerified: email !== null && (trustEmail || told.email_verified === true),
    name: typeof told.name === 'string' ? told.name : '',
  };
}

/** What went wrong is for the operator's log: it may hold what the provider says of its own. */
async function trusted<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw refused(cause);
  }
}

const refused = (cause?: unknown): SandgateError =>
  new SandgateError(
    'sign_in_failed',
    'The sign-in was not completed, or cannot be trusted. Begin again',
    cause === undefined ? {} : { cause },
  );
