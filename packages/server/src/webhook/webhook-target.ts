import { isIP } from 'node:net';
import { isPublicAddress } from '@sandgate/core';

/** All addresses of a host name. Rejects when there are none. */
export type ResolveHost = (host: string) => Promise<readonly string[]>;

export interface WebhookPolicy {
  /** Host names and addresses, in lower case, that may be private and may be called without TLS. */
  readonly allowedPrivateHosts: readonly string[];
}

/** A webhook that must not be called, or cannot be. Its message is for the workspace's people. */
export class WebhookRefused extends Error {
  override readonly name = 'WebhookRefused';
}

const maxUrlCharacters = 2_000;

/** As the URL standard writes it, without the brackets of IPv6 and a dot at the end. */
const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');

/** What is wrong with the address of a webhook, as far as it can be told without resolving it. */
export function webhookUrlProblem(text: string, policy: WebhookPolicy): string | null {
  const url = text.length <= maxUrlCharacters && URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    return 'The webhook must be an https URL, as in https://hooks.example.com/sandgate';
  }
  if (url.username !== '' || url.password !== '') {
    return 'The webhook must not have a user name or password in its URL: its messages are signed';
  }
  const host = hostOf(url);
  if (policy.allowedPrivateHosts.includes(host)) return null;
  if (url.protocol === 'http:') return 'The webhook must be called over https';
  return isIP(host) !== 0 && !isPublicAddress(host) ? notPublic : null;
}

const notPublic =
  'The webhook is not on the public Internet. The operator can allow its host: webhooks.allowedPrivateHosts';

/**
 * The one address to connect to. Every address of the host is checked, so that no answer of a name
 * server leads inside; and whoever connects uses this address and does not resolve again.
 * @throws WebhookRefused
 */
export async function resolveWebhook(
  url: URL,
  policy: WebhookPolicy,
  resolve: ResolveHost,
): Promise<{ readonly address: string; readonly family: 4 | 6 }> {
  const problem = webhookUrlProblem(url.href, policy);
  if (problem !== null) throw new WebhookRefused(problem);
  const host = hostOf(url);
  const addresses = isIP(host) === 0 ? await resolveOrRefuse(host, resolve) : [host];
  const refused = addresses.some((address) => !isPublicAddress(address));
  if (refused && !policy.allowedPrivateHosts.includes(host)) throw new WebhookRefused(notPublic);
  const [address] = addresses;
  const family = isIP(address ?? '');
  if (address === undefined || (family !== 4 && family !== 6)) {
    throw new WebhookRefused('The host of the webhook has no address');
  }
  return { address, family };
}

async function resolveOrRefuse(host: string, resolve: ResolveHost): Promise<readonly string[]> {
  try {
    return await resolve(host);
  } catch (cause) {
    throw new WebhookRefused('The host of the webhook cannot be found', { cause });
  }
}
