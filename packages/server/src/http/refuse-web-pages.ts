import { SandgateError } from '@sandgate/core';
import type { MiddlewareHandler } from 'hono';
import type { Environment } from './request-context.ts';

const loopbackNames = new Set(['localhost', '127.0.0.1', '[::1]']);

/** The host name of `Host` or `Origin`, without its port. Null when it is none. */
function hostName(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url === null ? null : url.hostname;
}

/** The origin of a page that this server itself would have served: another port is another program. */
const ownOrigin = (requestUrl: string, host: string): string =>
  new URL(`${new URL(requestUrl).protocol}//${host}`).origin;

const isLoopback = (text: string): boolean => loopbackNames.has(hostName(text) ?? '');

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
    isLoopback(`http://${host}`) &&
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
