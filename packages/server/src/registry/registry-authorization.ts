import { type RegistryCredentials, SandgateError } from '@sandgate/core';
import { parseChallenges } from './challenge.ts';
import { unreachable } from './registry-failure.ts';
import { parseObject, type RegistryHttp, readBody } from './registry-http.ts';

const maxTokenBytes = 65_536;
const maxTokenCharacters = 32_768;

const basic = ({ username, password }: RegistryCredentials): string =>
  `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;

/**
 * What to send as `Authorization` after a registry has refused a request: credentials as they are, or a
 * token of the server that it names, after the distribution project's token authentication.
 * @throws SandgateError `registry_unauthorized`, `registry_unreachable`, `registry_not_allowed`
 */
export async function answerChallenge(
  http: RegistryHttp,
  context: {
    readonly registry: URL;
    /** Null: nothing is wanted but to be let in. */
    readonly repository: string | null;
    readonly credentials: RegistryCredentials | null;
    readonly signal: AbortSignal;
  },
  header: string,
): Promise<string> {
  const { credentials, registry } = context;
  const challenges = parseChallenges(header);
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
  if (bearer === undefined) {
    if (!challenges.some(({ scheme }) => scheme === 'basic')) {
      throw unreachable('it asks for credentials in a way that is not known here');
    }
    if (credentials === null) throw unauthorized(null);
    return basic(credentials);
  }
  const realm = bearer.parameters.get('realm') ?? '';
  const url = URL.canParse(realm) ? new URL(realm) : null;
  if (url === null) throw unreachable('it names no token server');
  // What is safe on the way to the registry must be so on the way to its token server.
  if (registry.protocol === 'https:' && url.protocol !== 'https:') {
    throw unreachable('its token server is not called over https');
  }
  const service = bearer.parameters.get('service');
  if (service !== undefined) url.searchParams.set('service', service);
  // Never more than what is wanted here, whatever the registry names.
  if (context.repository === null) url.searchParams.delete('scope');
  else url.searchParams.set('scope', `repository:${context.repository}:pull`);
  if (credentials !== null) url.searchParams.set('account', credentials.username);
  const answer = await http.send(url, {
    headers: {
      accept: 'application/json',
      ...(credentials === null ? {} : { authorization: basic(credentials) }),
    },
    signal: context.signal,
  });
  const body = await readBody(answer, maxTokenBytes, context.signal);
  const { statusCode = 0 } = answer;
  if (statusCode === 401 || statusCode === 403) throw unauthorized(credentials);
  const { token, access_token: accessToken } = parseObject(body) ?? {};
  const text = token ?? accessToken;
  // What may be in a header (RFC 6750, 2.1).
  const usable =
    typeof text === 'string' &&
    text.length <= maxTokenCharacters &&
    /^[A-Za-z0-9._~+/=-]+$/.test(text);
  if (statusCode !== 200 || !usable) throw unreachable('its token server gives no token');
  return `Bearer ${text}`;
}

export const unauthorized = (credentials: RegistryCredentials | null): SandgateError =>
  new SandgateError(
    'registry_unauthorized',
    credentials === null
      ? 'The registry wants a user name and password for this image'
      : 'The registry refuses this user name and password, or does not let that user have this image',
  );
