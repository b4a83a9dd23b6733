import { SandgateError } from '@sandgate/core';
import type { MiddlewareHandler } from 'hono';
import { type Environment, incomingOf } from './request-context.ts';
import { upgradeOf } from './upgrade.ts';

/**
 * Browsers let any page open a WebSocket to anywhere, with the cookies of that place, and say in `Origin`
 * which page it is. Only pages of the host that is asked may; programs send no origin.
 */
export const refuseForeignUpgrades: MiddlewareHandler<Environment> = async (context, next) => {
  const upgrade = upgradeOf(incomingOf(context));
  if (upgrade !== null) {
    const { origin, host } = upgrade.request.headers;
    const isPage = origin !== undefined && (origin === 'null' || /^https?:/i.test(origin));
    if (isPage && !isPageOf(origin, host ?? '')) {
      throw new SandgateError(
        'origin_refused',
        'Web pages of other origins may not open a WebSocket here. Open it from a program',
      );
    }
  }
  await next();
};

/** The scheme is left out: TLS may end in front of this server. */
const isPageOf = (origin: string, host: string): boolean =>
  URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
