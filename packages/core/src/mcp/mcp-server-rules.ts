import { SandgateError } from '../error/sandgate-error.ts';
import { keyPattern } from '../key/key-text.ts';
import { ownServerName } from './mcp-server.ts';

const nameForm = /^[a-z0-9][a-z0-9_-]{0,62}$/;

const invalid = (message: string): SandgateError => new SandgateError('invalid_request', message);

/** @throws SandgateError `invalid_request` */
export function requireMcpServerName(name: string): string {
  if (!nameForm.test(name)) {
    throw invalid('name: must be 1 to 63 of a-z, 0-9, hyphens and underscores, as in github');
  }
  if (name === ownServerName) {
    throw invalid(`name: "${ownServerName}" names Sandgate's own tools. Choose another`);
  }
  if (keyPattern.test(name)) throw invalid('name: holds an API key. If it is real, revoke it');
  return name;
}

/** RFC 9110, 5.6.2. */
const tokenForm = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
/** Visible characters and spaces between them (RFC 9110, 5.5). */
const valueForm = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
const maxHeaders = 20;
const maxValueCharacters = 8_192;

/** What the connection to an upstream, the protocol or the gate itself decides. */
const reservedHeader =
  /^(host|connection|content-.*|transfer-encoding|te|trailer|upgrade|expect|keep-alive|proxy-.*|accept|accept-encoding|cookie|mcp-.*|last-event-id|x-sandgate-.*|x-forwarded-.*|forwarded|via)$/;

/** Sets headers, and removes those that are null. Names are in lower case in what comes back. */
export function changeHeaders(
  stored: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string | null>>,
): Readonly<Record<string, string>> {
  const headers = new Map(Object.entries(stored));
  for (const [given, value] of Object.entries(changes)) {
    const name = given.toLowerCase();
    if (!tokenForm.test(given))
      throw invalid(`headers: "${given.slice(0, 100)}" is no header name`);
    if (reservedHeader.test(name)) {
      throw invalid(`headers: ${name} is set by Sandgate, and by nobody else`);
    }
    if (value === null) {
      headers.delete(name);
      continue;
    }
    if (value.length > maxValueCharacters || !valueForm.test(value)) {
      throw invalid(
        `headers: the value of ${name} must be 1 to ${maxValueCharacters} printable ASCII characters`,
      );
    }
    headers.set(name, value);
  }
  if (headers.size > maxHeaders) throw invalid(`headers: ${maxHeaders} at most`);
  return Object.fromEntries([...headers].toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

const maxOrigins = 20;

/** @throws SandgateError `invalid_request` */
export function requireOrigins(origins: readonly string[]): readonly string[] {
  if (origins.length > maxOrigins) throw invalid(`allowed_origins: ${maxOrigins} at most`);
  for (const origin of origins) {
    if (origin === '*') continue;
    if (URL.canParse(origin) && new URL(origin).origin === origin && /^https?:/.test(origin))
      continue;
    throw invalid(
      `allowed_origins: "${origin.slice(0, 200)}" is no origin, as in https://app.example.com`,
    );
  }
  return [...new Set(origins)];
}

/** Of the URL standard's own path, without a query. @throws SandgateError `invalid_request` */
export function requireHealthPath(path: string): string {
  const isPath =
    /^\/[\x21-\x7e]{0,199}$/.test(path) && !/[?#\\]/.test(path) && !path.startsWith('//');
  if (isPath && new URL(path, 'http://upstream').pathname === path) return path;
  throw invalid('health_path: must be an absolute path without a query, as in /health');
}

/** As the URL standard writes it. What it may lead to is up to whoever calls it. */
export function requireUpstreamUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) throw invalid('url: is no URL, as in https://mcp.example.com/mcp');
  if (url.hash !== '') throw invalid('url: must have no fragment');
  if (keyPattern.test(text)) {
    throw invalid('url: holds an API key, which would be shown. Put it into a header');
  }
  return url.href;
}

/** Whether two addresses are one place to which secrets may go. */
export const sameOrigin = (one: string, other: string): boolean =>
  new URL(one).origin === new URL(other).origin;
