import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

interface Listening {
  readonly address: string;
  close(): Promise<void>;
}

async function listen(handlerFor: (address: string) => Handler): Promise<Listening> {
  let handler: Handler = () => undefined;
  const server: Server = createServer((request, response) => void handler(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  handler = handlerFor(address);
  return {
    address,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface Account {
  readonly email: string;
  readonly email_verified?: boolean;
  readonly name: string;
}

/** A real provider of OpenID Connect, whose person at the keyboard is `current`. */
export async function startOidcProvider(
  accounts: Readonly<Record<string, Account>>,
  redirectUris: readonly string[],
) {
  const state = { current: '' };
  const listening = await listen((address) => {
    const provider = new Provider(address, {
      clients: [
        {
          client_id: 'sandgate',
          client_secret: 'client secret',
          redirect_uris: [...redirectUris],
        },
      ],
      cookies: { keys: ['a key of the test'] },
      claims: { email: ['email', 'email_verified'], profile: ['name'] },
      features: { devInteractions: { enabled: false } },
      pkce: { required: () => true },
      interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
      findAccount: (_, id) => ({
        accountId: id,
        claims: async () => ({ sub: id, ...accounts[id] }),
      }),
      async loadExistingGrant(context) {
        const { client, session } = context.oidc;
        const grant = new provider.Grant({
          ...(client === undefined ? {} : { clientId: client.clientId }),
          ...(session?.accountId === undefined ? {} : { accountId: session.accountId }),
        });
        grant.addOIDCScope('openid email profile');
        await grant.save();
        return grant;
      },
    });
    const callback = provider.callback();
    return async (request, response) => {
      if (request.url?.startsWith('/interaction/') !== true)
        return void callback(request, response);
      const login = { accountId: state.current };
      await provider.interactionFinished(request, response, { login });
    };
  });
  return { ...listening, state };
}

/** What a person's browser does at a provider: it follows, with cookies, until it is sent home. */
export async function signInAt(url: string, home: string): Promise<string> {
  const cookies = new Map<string, string>();
  let next = url;
  for (let step = 0; step < 10; step += 1) {
    if (next.startsWith(home)) return next;
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(next, { redirect: 'manual', headers: { cookie } });
    for (const set of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location === null) throw new Error(`${next}: ${response.status} ${await response.text()}`);
    next = new URL(location, next).href;
  }
  throw new Error('The provider sends the browser round in circles.');
}

/** A provider that hands out whatever token the test makes. */
export async function startForgingProvider(keys: readonly object[]) {
  const state: { idToken: string | null } = { idToken: null };
  const listening = await listen((address) => async (request, response) => {
    const answers: Record<string, unknown> = {
      '/.well-known/openid-configuration': {
        issuer: address,
        authorization_endpoint: `${address}/authorize`,
        token_endpoint: `${address}/token`,
        jwks_uri: `${address}/jwks`,
        userinfo_endpoint: `${address}/me`,
        id_token_signing_alg_values_supported: ['ES256'],
      },
      '/jwks': { keys },
      '/token':
        state.idToken === null
          ? { error: 'invalid_grant', error_description: 'the code has expired' }
          : { access_token: 'x', token_type: 'Bearer', id_token: state.idToken },
    };
    const status = request.url === '/token' && state.idToken === null ? 400 : 200;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answers[request.url ?? ''] ?? {}));
  });
  return { ...listening, state };
}

export interface GithubPerson {
  readonly id: number;
  readonly login: string;
  readonly emails: readonly { email: string; primary: boolean; verified: boolean }[];
}

/** OAuth as GitHub speaks it: a code for one challenge, once, and who it is at two addresses. */
export async function startGithub() {
  const state: { person: GithubPerson | null; codes: Map<string, string> } = {
    person: null,
    codes: new Map(),
  };
  const listening = await listen(() => async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const answer = (value: unknown, status = 200): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(value));
    };
    if (request.url === '/login/oauth/access_token') {
      const fields = new URLSearchParams(body);
      const challenge = state.codes.get(fields.get('code') ?? '');
      state.codes.delete(fields.get('code') ?? '');
      const shown = createHash('sha256')
        .update(fields.get('code_verifier') ?? '')
        .digest('base64url');
      // GitHub answers errors with 200.
      if (challenge !== shown) return answer({ error: 'bad_verification_code' });
      return answer({ access_token: 'gho_x', token_type: 'bearer' });
    }
    if (request.headers.authorization !== 'Bearer gho_x') return answer({}, 401);
    const { person } = state;
    if (request.url === '/user') return answer({ id: person?.id, login: person?.login });
    return answer(person?.emails ?? []);
  });
  return { ...listening, state };
}
