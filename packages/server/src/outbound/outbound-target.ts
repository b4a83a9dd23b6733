import { isIP } from 'node:net';
import { isPublicAddress } from '@sandgate/core';

/** All addresses of a host name. Rejects when there are none. */
export type ResolveHost = (host: string) => Promise<readonly string[]>;

/** What the server calls on somebody's behalf, and where it may. */
export interface OutboundPolicy {
  /** What is called, for people, as in `webhook`. */
  readonly what: string;
  /** An address of the kind, for people. */
  readonly example: string;
  /** Where the operator allows hosts, as in `webhooks.allowedPrivateHosts`. */
  readonly setting: string;
  /** Host names and addresses, in lower case, that may be private and may be called without TLS. */
  readonly allowedPrivateHosts: readonly string[];
}

/** An address that must not be called, or cannot be. Its message is for the workspace's people. */
export class OutboundRefused extends Error {
  override readonly name = 'OutboundRefused';
}

const maxUrlCharacters = 2_000;

/** As the URL standard writes it, without the brackets of IPv6 and a dot at the end. */
const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');

/** What is wrong with an address, as far as it can be told without resolving it. */
export function outboundUrlProblem(text: string, policy: OutboundPolicy): string | null {
  const url = text.length <= maxUrlCharacters && URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    return `The ${policy.what} must be an https URL, as in ${policy.example}`;
  }
  if (url.username !== '' || url.password !== '') {
    return `The ${policy.what} must not have a user name or password in its URL`;
  }
  const host = hostOf(url);
  if (policy.allowedPrivateHosts.includes(host)) return null;
  if (url.protocol === 'http:') return `The ${policy.what} must be called over https`;
  return isIP(host) !== 0 && !isPublicAddress(host) ? notPublic(policy) : null;
}

const notPublic = ({ what, setting }: OutboundPolicy): string =>
  `The ${what} is not on the public Internet. The operator can allow its host: ${setting}`;

/** A checked address of a host. */
export interface OutboundAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/**
 * The addresses to connect to. Every address of the host is checked, so that no answer of a name
 * server leads inside; and whoever connects uses one of these and does not resolve again.
 * @throws OutboundRefused
 */
export async function resolveOutbound(
  url: URL,
  policy: OutboundPolicy,
  resolve: ResolveHost,
): Promise<readonly [OutboundAddress, ...OutboundAddress[]]> {
  const problem = outboundUrlProblem(url.href, policy);
  if (problem !== null) throw new OutboundRefused(problem);
  const host = hostOf(url);
  const addresses = isIP(host) === 0 ? await resolveOrRefuse(host, policy, resolve) : [host];
  const refused = addresses.some((address) => !isPublicAddress(address));
  if (refused && !policy.allowedPrivateHosts.includes(host)) {
    throw new OutboundRefused(notPublic(policy));
  }
  const [first, ...others] = addresses.flatMap((address): OutboundAddress[] => {
    const family = isIP(address);
    return family === 4 || family === 6 ? [{ address, family }] : [];
  });
  if (first === undefined) {
    throw new OutboundRefused(`The host of the ${policy.what} has no address`);
  }
  return [first, ...others];
}

async function resolveOrRefuse(
  host: string,
  { what }: OutboundPolicy,
  resolve: ResolveHost,
): Promise<readonly string[]> {
  try {
    return await resolve(host);
  } catch (cause) {
    throw new OutboundRefused(`The host of the ${what} cannot be found`, { cause });
  }
}
