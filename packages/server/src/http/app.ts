import { randomBytes } from 'node:crypto';
import { type Sandboxes, SandgateError } from '@sandgate/core';
import { Hono } from 'hono';
import { setLimitHeaders } from './authorize/limit-headers.ts';
import { microsandboxErrorResponse } from './dialects/microsandbox/error-response.ts';
import { mountMicrosandbox } from './dialects/microsandbox/mount.ts';
import { mountNative, type NativeDependencies } from './native/mount.ts';
import { refuseWebPages } from './refuse-web-pages.ts';
import type { App } from './request-context.ts';

export interface AppDependencies extends NativeDependencies {
  readonly sandboxes: Sandboxes;
  /** No key is asked for, and web pages are kept out instead. */
  readonly developmentMode: boolean;
}

/** The whole HTTP surface. Works without a socket, by `app.request`. */
export function createApp(dependencies: AppDependencies): App {
  const { log, clock, developmentMode } = dependencies;
  const app: App = new Hono();

  app.use(async (context, next) => {
    const startedMs = performance.now();
    context.set('requestId', randomBytes(8).toString('hex'));
    await next();
    const { headers, status } = context.res;
    headers.set('x-request-id', context.get('requestId'));
    setLimitHeaders(
      headers,
      context.get('limits') ?? [],
      clock.nowMs(),
      retryAfterMs(context.error),
    );
    log.info(
      {
        requestId: context.get('requestId'),
        method: context.req.method,
        status,
        durationMs: Math.round((performance.now() - startedMs) * 10) / 10,
      },
      'request',
    );
  });
  if (developmentMode) app.use(refuseWebPages);

  mountMicrosandbox(app, dependencies);
  mountNative(app, dependencies);

  app.notFound(() =>
    microsandboxErrorResponse(new SandgateError('not_found', 'There is nothing at this address')),
  );
  app.onError((error, context) => {
    if (error instanceof SandgateError) return microsandboxErrorResponse(error);
    log.error({ err: error, requestId: context.get('requestId') }, 'unexpected error');
    return microsandboxErrorResponse(
      new SandgateError('internal', 'Internal server error', { cause: error }),
    );
  });
  return app;
}

/** Set by a refusal that passes by itself. */
function retryAfterMs(error: Error | undefined): number | null {
  const value = error instanceof SandgateError ? error.data?.retryAfterMs : undefined;
  return typeof value === 'number' ? value : null;
}
