import { SandgateError } from '@sandgate/core';
import type { RequestContext } from '../request-context.ts';
import { isLoopbackUrl, ownOrigin } from '../request-origin.ts';

/**
 * MCP wants `Origin` validated (Streamable HTTP, security). A page of another origin, or one that makes
 * a name of its own point here (DNS rebinding), is refused also with a key. The origins of desktop
 * programs, as `vscode-file:`, are no pages.
 * @throws SandgateError `origin_refused`
 */
export function refuseForeignPages(context: RequestContext): void {
  const origin = context.req.header('origin');
  if (origin === undefined) return;
  const isPage = origin === 'null' || /^https?:/i.test(origin);
  const host = context.req.header('host');
  const isOwn =
    host !== undefined && isLoopbackUrl(origin) && origin === ownOrigin(context.req.url, host);
  if (!isPage || isOwn) return;
  throw new SandgateError(
    'origin_refused',
    'Web pages of other origins may not call this address. Call it from a program',
  );
}
