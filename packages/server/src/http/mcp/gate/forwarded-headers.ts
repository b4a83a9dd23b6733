import { keyPattern, type McpServer, SandgateError } from '@sandgate/core';

/** What a client's request tells an upstream that has a gate to rely on. */
const passing =
  /^(user-agent|accept-language|traceparent|tracestate|baggage|last-event-id|mcp-protocol-version|mcp-method|mcp-name|mcp-param-[a-z0-9_-]+)$/;

/**
 * What no upstream is told: about the connection (RFC 9110, 7.6.1), about the body, which is written
 * anew, about who the client is and where, what makes one request pass for another, and Sandgate's own.
 */
const withheld =
  /^(host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|http2-settings|expect|max-forwards|proxy-.*|content-.*|accept|accept-encoding|cookie2?|origin|referer|sec-.*|forwarded|via|x-forwarded-.*|x-real-ip|x-client-ip|x-original-.*|x-rewrite-.*|x-http-method.*|x-method-override|x-sandgate-.*|x-api-key|x-brimble-key|x-workspace-id|mcp-session-id)$/;

/**
 * The headers of a request for an upstream, without those that Sandgate sets. An upstream that asks
 * for no key of Sandgate's may check its own, in whatever header: there all others pass.
 */
export function forwardedHeaders(
  headers: Headers,
  { authentication }: Pick<McpServer, 'authentication'>,
): Record<string, string> {
  const forwarded: Record<string, string> = {};
  // What `Connection` names is for this connection (RFC 9110, 7.6.1).
  const named = new Set(
    (headers.get('connection') ?? '').split(',').map((name) => name.trim().toLowerCase()),
  );
  for (const [name, value] of headers) {
    const passes = authentication ? passing.test(name) : !withheld.test(name);
    if (passes && !named.has(name) && !isOwnCredential(name, value)) forwarded[name] = value;
  }
  return forwarded;
}

/** A key, or an access token of Sandgate's, in whatever header. */
function isOwnCredential(name: string, value: string): boolean {
  if (keyPattern.test(value)) return true;
  if (name !== 'authorization') return false;
  const [, payload] = /^(?:bearer\s+)?eyJ[\w-]+\.(eyJ[\w-]+)\.[\w-]+$/i.exec(value.trim()) ?? [];
  if (payload === undefined) return false;
  try {
    return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')).aud === 'sandgate';
  } catch {
    return false;
  }
}

/** Of web pages and proxies: more than any program sends. */
const maxHeaderBytes = 16_384;

/** @throws SandgateError `invalid_request` */
export function requireSmallHeaders(headers: Readonly<Record<string, string>>): void {
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) bytes += name.length + value.length;
  if (bytes > maxHeaderBytes) {
    throw new SandgateError('invalid_request', 'The headers of the request are too large');
  }
}
