import { isOwnCredential, keyTextOfChosen, SandgateError, type ServerKey } from '@sandgate/core';
import { type HeaderValues, readCredential } from '../../../authorize/read-credential.ts';
import type { SandboxAddress } from './sandbox-url.ts';

/**
 * The credential that opens a sandbox's URL: an API key or access token, or the sandbox's own
 * `SANDBOX_API_KEY`, which stands for a key. Browsers, which cannot set headers on the way to a page, send
 * it as a password where the sandbox has an origin of its own.
 * @throws SandgateError `credential_ambiguous`, `origin_refused`
 */
export function sandboxCredential(
  values: HeaderValues,
  { sandboxId, prefix }: SandboxAddress,
  request: Request,
  serverKey: ServerKey,
): string | null {
  const sent = readCredential(values, ['authorization']);
  const password = sent === null ? null : passwordIn(sent);
  if (password !== null && !mayUsePassword(prefix, request)) return null;
  const text = password ?? sent;
  if (text === null || text === '' || isOwnCredential(text)) return text;
  return keyTextOfChosen(serverKey, sandboxId ?? '', text);
}

/** Of Basic authentication (RFC 7617), whoever the user is. */
function passwordIn(credential: string): string | null {
  const encoded = /^basic\s+(\S+)$/i.exec(credential)?.[1];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? '' : text.slice(colon + 1);
}

/** Browsers send a password by themselves, also for pages of others: these must not use it. */
function mayUsePassword(prefix: string, request: Request): boolean {
  if (prefix !== '') return false;
  const site = request.headers.get('sec-fetch-site') ?? siteByOrigin(request);
  if (site === 'same-origin' || site === 'none') return true;
  throw new SandgateError(
    'origin_refused',
    'This request comes from a page of another origin. Open the address itself',
  );
}

/** Without TLS browsers say no `Sec-Fetch-Site`. What changes something has an `Origin` all the same. */
function siteByOrigin({ headers, url }: Request): 'none' | 'same-origin' | 'cross-site' {
  const origin = headers.get('origin');
  if (origin === null) return 'none';
  // Without the port: a proxy in front may listen on another one.
  const isOwn = URL.canParse(origin) && new URL(origin).hostname === new URL(url).hostname;
  return isOwn ? 'same-origin' : 'cross-site';
}
