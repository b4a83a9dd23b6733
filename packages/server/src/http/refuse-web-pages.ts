import { SandgateError } from '@sandgate/core';
import type { MiddlewareHandler } from 'hono';
import type { Environment } from './request-context.ts';
import { isLoopbackUrl, ownOrigin } from './request-origin.ts';

/**
 * Development mode asks for no key, so any page in the developer's browser could drive it: by a
 * plain request to 127.0.0.1, or by a name of its own that it makes point there (DNS rebinding).
 * Both show: the first in `Origin` and `Sec-Fetch-Site`, the second in `Host`.
 */
export const refuseWebPages: MiddlewareHandler<Environment> = async (context, next) => {
  const host = context.req.header('host');
  const origin = context.req.header('origin');
  const site = context.req.header('sec-fetch-site') ?? 'none';
  const welcome =
    host !== undefined &&
    isLoopbackUrl(`http://${host}`) &&
    (origin === undefined || origin === ownOrigin(context.req.url, host)) &&
    ['none', 'same-origin'].includes(site);
  if (!welcome) {
    throw new SandgateError(
      'origin_refused',
      'In development mode only programs on this machine may call, by localhost or 127.0.0.1, and no web pages of other origins',
    );
  }
  await next();
};
