import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, deriveSecret, type OauthStore, type ServerKey } from '@sandgate/core';
import type Provider from 'oidc-provider';
import type { SigningKeyRing } from '../signing-key-ring.ts';
import { createProvider, type ProviderParts } from './create-provider.ts';
import { answeredAt, ownScope } from './public-request.ts';
import { resourcePathOf } from './resource-path.ts';

export interface OauthServerOptions
  extends Omit<ProviderParts, 'issuer' | 'keys' | 'cookieSecret' | 'store'> {
  readonly store: OauthStore;
  /** Empty, where this server does not know how it is reached. */
  readonly publicUrl: string;
  readonly ring: SigningKeyRing;
  readonly clock: Clock;
  readonly serverKey: () => ServerKey;
}

/** A program that waits for somebody to let it in, in one browser. */
export interface PendingSignIn {
  readonly id: string;
  readonly clientId: string;
  readonly clientName: string;
  /** Whether the program is described at its own https address, which is its id. */
  readonly isNamedByAddress: boolean;
  /** Where the browser goes then. */
  readonly redirectUri: string;
  /** Path of what the program wants to use, as in `/mcp`. */
  readonly resource: string;
}

/** What a person has let a program do. */
export interface AllowedSignIn {
  readonly grantId: string;
  readonly userId: string;
  readonly expiresAtMs: number;
}

/** Without `publicUrl` there is one for each name by which this machine calls itself. */
const mostProviders = 8;
const loopbackNames = new Set(['localhost', '127.0.0.1', '[::1]']);
/** A program that somebody let in may come again after its sign-in has ended. */
const clientKeptMs = 400 * 24 * 3_600_000;

/**
 * The authorization server (OAuth 2.1) of programs that sign in to MCP. The protocol is the library's; who
 * lets a program in, to what, and what came of it, is Sandgate's.
 */
export function createOauthServer(options: OauthServerOptions) {
  const { publicUrl, ring, clock, serverKey, store } = options;
  const providers = new Map<
    string,
    { readonly version: string; readonly made: Promise<Provider> }
  >();

  const providerOf = async (issuer: string): Promise<Provider> => {
    const keys = await ring.all();
    const version = [serverKey().version, ...keys.map(({ id }) => id)].join(' ');
    const known = providers.get(issuer);
    if (known?.version === version) return await known.made;
    providers.delete(issuer);
    for (const oldest of providers.keys()) {
      if (providers.size < mostProviders) break;
      providers.delete(oldest);
    }
    const cookieSecret = deriveSecret(serverKey(), 'cookies of OAuth').toString('base64url');
    const made = createProvider({ ...options, issuer, keys, cookieSecret });
    providers.set(issuer, { version, made });
    return await made;
  };

  const interactionOf = async (
    issuer: string,
    request: IncomingMessage,
    response: ServerResponse,
  ) => {
    const provider = await providerOf(issuer);
    try {
      const interaction = await provider.interactionDetails(request, response);
      return { provider, interaction };
    } catch (error) {
      // Expired, begun in another browser, or over.
      if (error instanceof Error && error.name === 'SessionNotFound') return null;
      throw error;
    }
  };

  return {
    /** Of the address that a request came to. Null: no programs are signed in there. */
    issuerOf(url: string): string | null {
      if (publicUrl !== '') return publicUrl;
      const { hostname, origin } = new URL(url);
      return loopbackNames.has(hostname) ? origin : null;
    },
    /** Answers everything of the protocol. */
    async answer(
      issuer: string,
      request: IncomingMessage,
      response: ServerResponse,
    ): Promise<void> {
      const provider = await providerOf(issuer);
      await provider.callback()(answeredAt(issuer, request), response);
    },
    /** What waits for the person before this browser; null for nothing. */
    async pending(
      issuer: string,
      request: IncomingMessage,
      response: ServerResponse,
    ): Promise<PendingSignIn | null> {
      const found = await interactionOf(issuer, request, response);
      if (found === null) return null;
      const { uid, params } = found.interaction;
      const client = await found.provider.Client.find(String(params.client_id));
      if (client === undefined) return null;
      const redirectUri = String(params.redirect_uri ?? client.redirectUris?.[0]);
      return {
        id: uid,
        clientId: client.clientId,
        clientName: shownName(client.clientName ?? client.clientId),
        isNamedByAddress: client.clientId.startsWith('https://'),
        redirectUri: shownAddress(redirectUri),
        resource: resourcePathOf(requestedResource(params, issuer), issuer) ?? '/mcp',
      };
    },
    /** Sends the browser back to the program, which is let in. */
    async allow(
      issuer: string,
      request: IncomingMessage,
      response: ServerResponse,
      { grantId, userId, expiresAtMs }: AllowedSignIn,
    ): Promise<boolean> {
      const found = await interactionOf(issuer, request, response);
      if (found === null) return false;
      const { provider, interaction } = found;
      const nowMs = clock.nowMs();
      const clientId = String(interaction.params.client_id);
      const grant = new provider.Grant({ accountId: userId, clientId });
      const expiresIn = Math.max(1, Math.floor((expiresAtMs - nowMs) / 1_000));
      Object.assign(grant, { jti: grantId, expiresIn });
      grant.addOIDCScope(`${ownScope} offline_access`);
      grant.addResourceScope(requestedResource(interaction.params, issuer), ownScope);
      await grant.save();
      await store.keepUntil('Client', clientId, nowMs + clientKeptMs);
      const result = { login: { accountId: userId, remember: false }, consent: { grantId } };
      await provider.interactionFinished(request, response, result);
      return true;
    },
    /** Sends the browser back to the program, which is refused. */
    async deny(
      issuer: string,
      request: IncomingMessage,
      response: ServerResponse,
    ): Promise<boolean> {
      const found = await interactionOf(issuer, request, response);
      if (found === null) return false;
      const result = { error: 'access_denied', error_description: 'The person refused' };
      await found.provider.interactionFinished(request, response, result, {
        mergeWithLastSubmission: false,
      });
      return true;
    },
  };
}

const mostNameCharacters = 100;

/**
 * The name of a stranger's choosing, without what would hide or turn around the words beside it, and
 * not so long that they are out of sight.
 */
const shownName = (name: string): string =>
  [...name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')]
    .slice(0, mostNameCharacters)
    .join('')
    .trim() || 'A program without a name';

/** What stands before an `@` looks like the host and is not. */
function shownAddress(address: string): string {
  const url = new URL(address);
  if (url.username === '' && url.password === '') return address;
  url.username = '';
  url.password = '';
  return url.href;
}

/** A program that names none is one of before RFC 8707. */
function requestedResource(params: Readonly<Record<string, unknown>>, issuer: string): string {
  const [first] = [params.resource].flat();
  return typeof first === 'string' ? first : `${issuer}/mcp`;
}
