/** The claim of an access token that names its grant. */
export const grantClaim = 'grant';

const resourcePaths = /^\/mcp(?:\/servers\/[a-z0-9_-]{1,63})?$/;

/**
 * Path of the resource of this server that an indicator (RFC 8707) names, as in `/mcp` for
 * `https://sandgate.example.com/mcp`; null for every other one.
 */
export function resourcePathOf(resource: string, issuer: string): string | null {
  const base = issuer.replace(/\/$/, '');
  if (!resource.startsWith(base)) return null;
  const path = resource.slice(base.length);
  return resourcePaths.test(path) ? path : null;
}
