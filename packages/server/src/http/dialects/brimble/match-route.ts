import { SandgateError } from '@sandgate/core';
import type { BrimbleRoute } from './brimble-route.ts';

export interface RouteMatch {
  readonly route: BrimbleRoute;
  readonly params: Readonly<Record<string, string>>;
  readonly rest: readonly string[];
}

/**
 * Segments of a path as it was sent. Empty ones do not count: clients drop them, and the slash at the
 * end with them. Nothing is decoded and no `..` resolved, so that both can be refused.
 */
export const pathSegments = (path: string): readonly string[] =>
  path.split('/').filter((segment) => segment !== '');

/** Of several that fit, the first in the list. */
function matchPath(
  { path }: BrimbleRoute,
  segments: readonly string[],
): Omit<RouteMatch, 'route'> | null {
  const pattern = pathSegments(path);
  const takesRest = pattern.at(-1)?.endsWith('...}') === true;
  const fixed = takesRest ? pattern.slice(0, -1) : pattern;
  if (segments.length < fixed.length || (!takesRest && segments.length > fixed.length)) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of fixed.entries()) {
    const segment = segments[index] ?? '';
    if (part.startsWith('{')) params[part.slice(1, -1)] = segment;
    else if (part !== segment) return null;
  }
  return { params, rest: segments.slice(fixed.length) };
}

/** @throws SandgateError `not_found`, `method_not_allowed` */
export function matchRoute(
  routes: readonly BrimbleRoute[],
  method: string,
  segments: readonly string[],
): RouteMatch {
  const allowed = new Set<string>();
  for (const route of routes) {
    const match = matchPath(route, segments);
    if (match === null) continue;
    if (route.method === method) return { route, ...match };
    allowed.add(route.method);
  }
  if (allowed.size === 0) {
    throw new SandgateError('not_found', 'There is nothing at this address');
  }
  const allow = [...allowed].join(', ');
  throw new SandgateError('method_not_allowed', `This address takes ${allow}`, { data: { allow } });
}
