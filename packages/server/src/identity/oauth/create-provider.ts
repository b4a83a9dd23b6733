import type { EventEmitter } from 'node:events';
import type { OauthStore } from '@sandgate/core';
import type Provider from 'oidc-provider';
import type { JWK, KoaContextWithOIDC } from 'oidc-provider';
import type { SigningKey } from '../signing-key-ring.ts';
import { createOauthAdapter, type OauthAdapterDependencies } from './oauth-adapter.ts';
import { authorizationPath, oauthCookies, ownScope } from './public-request.ts';
import { grantClaim, resourcePathOf } from './resource-path.ts';

export interface ProviderParts extends Omit<OauthAdapterDependencies, 'errors'> {
  readonly issuer: string;
  readonly store: OauthStore;
  /** The newest, which signs, first. */
  readonly keys: readonly SigningKey[];
  readonly cookieSecret: string;
  /** Whether the key of a grant lives. */
  readonly keyLives: (grantId: string) => Promise<boolean>;
  /** Gets what a stranger names. */
  readonly fetchDocument: typeof fetch;
  /** Whether that address may have one more fetched. */
  readonly mayFetch: (address: string) => boolean;
  readonly onError: (error: unknown) => void;
}

const oauthPaths = {
  authorization: authorizationPath,
  token: '/oauth/token',
  registration: '/oauth/register',
  revocation: '/oauth/revoke',
  jwks: '/oauth/jwks',
} as const;

const signInPath = '/oauth/sign-in';

const codeSeconds = 60;
const accessSeconds = 15 * 60;
const interactionSeconds = 10 * 60;

/** `oidc-provider`, as a server of authorization alone: nobody's identity is told to anybody. */
export async function createProvider(parts: ProviderParts): Promise<Provider> {
  const { issuer, keys, keyLives, fetchDocument, mayFetch, onError } = parts;
  // It is not small, and most servers never need it.
  const { default: OidcProvider, errors } = await import('oidc-provider');
  const provider = new OidcProvider(issuer, {
    adapter: createOauthAdapter({ ...parts, errors }),
    jwks: { keys: keys.map(privateKey) },
    routes: oauthPaths,
    cookies: {
      names: oauthCookies,
      keys: [parts.cookieSecret],
      long: { httpOnly: true, sameSite: 'lax' },
      short: { httpOnly: true, sameSite: 'lax' },
    },
    scopes: ['offline_access', ownScope],
    responseTypes: ['code'],
    pkce: { required: () => true },
    clientAuthMethods: ['none'],
    // Nothing depends on it here, so nothing is fetched for it.
    sectorIdentifierUriValidate: () => false,
    clientDefaults: {
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      id_token_signed_response_alg: 'EdDSA',
    },
    enabledJWA: { idTokenSigningAlgValues: ['EdDSA'] },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      revocation: {
        enabled: true,
        allowedPolicy: (_, client, token) => token.clientId === client.clientId,
      },
      registration: { enabled: true, issueRegistrationAccessToken: false },
      clientIdMetadataDocument: {
        enabled: true,
        ack: 'draft-02',
        allowFetch: (context) => mayFetch(addressOf(context)),
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_, __, requested) => requested?.[0] ?? `${issuer}/mcp`,
        useGrantedResource: () => true,
        getResourceServerInfo(_, resource) {
          if (resourcePathOf(resource, issuer) === null) throw new errors.InvalidTarget();
          const sign = { alg: 'EdDSA' as const, kid: keys[0]?.id };
          return {
            scope: ownScope,
            audience: resource,
            accessTokenFormat: 'jwt',
            accessTokenTTL: accessSeconds,
            jwt: { sign },
          };
        },
      },
    },
    ttl: {
      AuthorizationCode: codeSeconds,
      Interaction: interactionSeconds,
      Session: interactionSeconds,
      AccessToken: accessSeconds,
      // Each lives as long as what was allowed.
      RefreshToken: ({ oidc }) => secondsUntil(oidc.entities.Grant?.exp),
    },
    interactions: { url: () => `${new URL(issuer).pathname.replace(/\/$/, '')}${signInPath}` },
    async findAccount(_, accountId, token) {
      const grantId = token !== undefined && 'grantId' in token ? token.grantId : undefined;
      if (grantId !== undefined && !(await keyLives(grantId))) return undefined;
      return { accountId, claims: async () => ({ sub: accountId }) };
    },
    // Asked for anew each time, so that each sign-in has a key of its own.
    async loadExistingGrant({ oidc }) {
      const grantId = oidc.result?.consent?.grantId;
      return grantId === undefined ? undefined : await provider.Grant.find(grantId);
    },
    expiresWithSession: () => false,
    issueRefreshToken: async (_, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    extraTokenClaims: (_, token) =>
      'grantId' in token ? { [grantClaim]: token.grantId } : undefined,
    clientBasedCORS: (_, origin, client) =>
      client.redirectUris?.some((uri) => URL.parse(uri)?.origin === origin) === true,
    fetch: fetchDocument,
    renderError(context, { error, error_description: description = '' }) {
      // For a person: what led here is no form of theirs, and the program is told nothing.
      context.set('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
      context.set('X-Content-Type-Options', 'nosniff');
      context.type = 'text';
      context.body = `The program cannot be signed in: ${description || error} (${error})\n`;
    },
  });
  provider.proxy = true;
  provider.on('server_error', (_, error) => onError(error));
  const app: EventEmitter = provider;
  app.on('error', onError);
  return provider;
}

const addressOf = ({ req }: KoaContextWithOIDC): string => req.socket.remoteAddress ?? '';

const secondsUntil = (seconds: number | undefined): number =>
  Math.max(1, (seconds ?? 0) - Math.floor(Date.now() / 1_000));

const privateKey = ({ id, privateKey: key }: SigningKey): JWK => ({
  ...key.export({ format: 'jwk' }),
  kid: id,
  use: 'sig',
  alg: 'EdDSA',
});
