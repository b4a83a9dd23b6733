import { createHash } from 'node:crypto';
import { type IdentityProvider, SandgateError } from '@sandgate/core';
import { z } from 'zod';

export interface GithubOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Another one for GitHub Enterprise. */
  readonly baseUrl: string;
  readonly apiUrl: string;
}

const timeoutMs = 10_000;

const tokenAnswer = z.object({ access_token: z.string().min(1) });
const userAnswer = z.object({ id: z.int(), name: z.string().nullish(), login: z.string() });
const emailsAnswer = z.array(
  z.object({ email: z.string(), primary: z.boolean(), verified: z.boolean() }),
);

/** GitHub speaks OAuth 2 and no OpenID Connect: who somebody is has to be asked for. */
export function createGithubProvider(options: GithubOptions): IdentityProvider {
  const { clientId, clientSecret, baseUrl, apiUrl } = options;

  const ask = async <Answer extends z.ZodType>(
    url: string,
    schema: Answer,
    request: { readonly method?: string; readonly body?: URLSearchParams; readonly token?: string },
  ): Promise<z.output<Answer>> => {
    try {
      const { method = 'GET', body, token } = request;
      const response = await fetch(url, {
        method,
        headers: {
          Accept: 'application/json',
          'User-Agent': 'Sandgate',
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        },
        ...(body === undefined ? {} : { body }),
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (!response.ok) throw new Error(`GitHub answered ${response.status}`);
      return schema.parse(await response.json());
    } catch (cause) {
      throw refused(cause);
    }
  };

  return {
    async authorizationUrl({ state, codeVerifier }, redirectUri) {
      const url = new URL(`${baseUrl}/login/oauth/authorize`);
      url.search = new URLSearchParams({
        client_id: clientId,
        redirect_uri: redirectUri,
        scope: 'read:user user:email',
        state,
        code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
        code_challenge_method: 'S256',
      }).toString();
      return url.href;
    },
    async identify({ state, codeVerifier }, callback) {
      const code = callback.searchParams.get('code');
      if (code === null || callback.searchParams.get('state') !== state) throw refused();
      const { access_token: token } = await ask(
        `${baseUrl}/login/oauth/access_token`,
        tokenAnswer,
        {
          method: 'POST',
          body: new URLSearchParams({
            client_id: clientId,
            client_secret: clientSecret,
            code,
            redirect_uri: callback.origin + callback.pathname,
            code_verifier: codeVerifier,
          }),
        },
      );
      const user = await ask(`${apiUrl}/user`, userAnswer, { token });
      const emails = await ask(`${apiUrl}/user/emails`, emailsAnswer, { token });
      const primary = emails.find((each) => each.primary);
      return {
        subject: String(user.id),
        email: primary?.email ?? null,
        emailVerified: primary?.verified === true,
        name: user.name ?? user.login,
      };
    },
  };
}

const refused = (cause?: unknown): SandgateError =>
  new SandgateError(
    'sign_in_failed',
    'The sign-in was not completed, or cannot be trusted. Begin again',
    cause === undefined ? {} : { cause },
  );
