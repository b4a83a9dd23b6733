import type { OauthServices } from '../oauth/oauth-services.ts';
import type { App, RequestContext } from '../request-context.ts';
import type { SignOnServices } from '../sign-on-services.ts';

const metadataPath = '/.well-known/oauth-protected-resource';

/** Reads what the name of a server may be, so that metadata is of an address that can be one. */
const resourcePaths = ['/mcp', '/mcp/servers/:name{[a-z0-9_-]{1,63}}'];

type PublicUrl = Pick<SignOnServices, 'publicUrl'>;

/**
 * Where the metadata is of the resource that a request is for. The path is the URL parser's: it has no
 * character that would end a quoted string of a header.
 */
export function metadataUrlOf(context: RequestContext, settings: PublicUrl): string {
  const { origin, pathname } = new URL(context.req.url);
  return `${settings.publicUrl || origin}${metadataPath}${pathname}`;
}

/**
 * What clients can know of `/mcp` and of each server behind the gate before they have a key: RFC 9728.
 * Said of every name alike, so that nobody learns here which servers there are.
 */
export function mountResourceMetadata(
  app: App,
  { signOn, oauth }: { readonly signOn: PublicUrl; readonly oauth: OauthServices | null },
): void {
  for (const [prefix, path] of metadataPlaces(signOn)) {
    app.get(`${prefix}${path}`, (context) => {
      const { origin, pathname } = new URL(context.req.url);
      const metadata = {
        resource: `${signOn.publicUrl || origin}${pathname.slice(prefix.length)}`,
        ...authorizationServers(oauth?.issuerOf(context.req.url) ?? null),
        scopes_supported: ['mcp:call'],
        bearer_methods_supported: ['header'],
      };
      // Clients in web pages read it too; without `publicUrl` it depends on the host that was asked.
      const headers = { 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'no-store' };
      return Response.json(metadata, { headers });
    });
  }
}

/**
 * Where `publicUrl` has a path, clients that were told no address of the metadata look for it on the host,
 * with that path behind the well-known one (RFC 9728, 3.1), and a proxy may pass that on as it is.
 */
function metadataPlaces({ publicUrl }: PublicUrl): readonly (readonly [string, string])[] {
  const base = publicUrl === '' ? '' : new URL(publicUrl).pathname.replace(/\/$/, '');
  // Other characters would mean something in a route.
  const prefixes = /^[\w./~-]+$/.test(base)
    ? [metadataPath, `${metadataPath}${base}`]
    : [metadataPath];
  return prefixes.flatMap((prefix) => resourcePaths.map((path) => [prefix, path] as const));
}

const authorizationServers = (issuer: string | null) =>
  issuer === null ? {} : { authorization_servers: [issuer] };
