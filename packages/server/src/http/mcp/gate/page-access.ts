import type { McpServer } from '@sandgate/core';
import type { RequestContext } from '../../request-context.ts';
import { refuseForeignPages } from '../refuse-foreign-pages.ts';

const exposed =
  'Mcp-Session-Id, MCP-Protocol-Version, WWW-Authenticate, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id';
const usualHeaders =
  'authorization, x-api-key, x-brimble-key, content-type, accept, last-event-id, mcp-protocol-version, mcp-session-id, mcp-method, mcp-name';
const maxRequestedCharacters = 1_024;

/**
 * What a page of the request's origin is told by headers of the answer (Fetch standard, CORS), none
 * for who is no page. Null for a server that is not there: nobody's page may call it.
 * @throws SandgateError `origin_refused`
 */
export function admitPage(
  context: RequestContext,
  server: Pick<McpServer, 'allowedOrigins'> | null,
): Readonly<Record<string, string>> {
  const origin = context.req.header('origin');
  const allowed = server?.allowedOrigins ?? [];
  if (origin === undefined || !(allowed.includes(origin) || allowed.includes('*'))) {
    refuseForeignPages(context);
    return {};
  }
  return {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Expose-Headers': exposed,
    Vary: 'Origin',
  };
}

/** The answer to a browser that asks before it calls. No cookie is ever part of a call. */
export function answerPreflight(
  context: RequestContext,
  access: Readonly<Record<string, string>>,
): Response {
  const requested = context.req.header('access-control-request-headers') ?? '';
  const isList =
    requested.length <= maxRequestedCharacters && /^[\w-]+(, *[\w-]+)*$/.test(requested);
  return new Response(null, {
    status: 204,
    headers: {
      ...access,
      ...(access['Access-Control-Allow-Origin'] === undefined
        ? {}
        : {
            'Access-Control-Allow-Methods': 'GET, POST, DELETE',
            'Access-Control-Allow-Headers': isList ? requested : usualHeaders,
            'Access-Control-Max-Age': '600',
          }),
    },
  });
}
