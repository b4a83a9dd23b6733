import { randomUUID } from 'node:crypto';
import { SandgateError } from '@sandgate/core';
import { Hono } from 'hono';
import { type BrimbleDependencies, mountBrimble } from './dialects/brimble/mount.ts';
import { microsandboxErrorResponse } from './dialects/microsandbox/error-response.ts';
import { mountMicrosandbox } from './dialects/microsandbox/mount.ts';
import { mountModbox } from './dialects/modbox/mount.ts';
import {
  mountSandboxUrls,
  type SandboxUrlDependencies,
} from './dialects/modbox/sandbox-url/mount-sandbox-urls.ts';
import { explainFailure } from './explain-failure.ts';
import { logRequest } from './log-request.ts';
import { type McpDependencies, mountMcp } from './mcp/mount.ts';
import { mountNative, type NativeDependencies } from './native/mount.ts';
import { mountOauth, type OauthDependencies } from './oauth/mount-oauth.ts';
import { refuseForeignUpgrades } from './refuse-foreign-upgrades.ts';
import { refuseWebPages } from './refuse-web-pages.ts';
import { type App, answerTo, setResponseHeader } from './request-context.ts';

export interface AppDependencies
  extends NativeDependencies,
    BrimbleDependencies,
    SandboxUrlDependencies,
    OauthDependencies,
    Omit<McpDependencies, 'storage'> {
  /** No key is asked for, and web pages are kept out instead. */
  readonly developmentMode: boolean;
}

/** The whole HTTP surface. Works without a socket, by `app.request`. */
export function createApp(dependencies: AppDependencies): App {
  const { log, developmentMode } = dependencies;
  const app: App = new Hono();

  app.use(async (context, next) => {
    const startedMs = performance.now();
    const requestId = randomUUID();
    context.set('requestId', requestId);
    setResponseHeader(context, 'x-request-id', requestId);
    await next();
    for (const [name, value] of context.get('headers') ?? []) context.res.headers.set(name, value);
    const { method } = context.req;
    logRequest(log, { requestId, method, status: context.res.status, startedMs });
  });
  app.use(refuseForeignUpgrades);
  if (developmentMode) app.use(refuseWebPages);

  mountSandboxUrls(app, dependencies);
  mountBrimble(app, dependencies);
  mountMicrosandbox(app, dependencies);
  mountMcp(app, dependencies);
  mountOauth(app, dependencies);
  mountNative(app, dependencies);
  mountModbox(app, dependencies);

  app.notFound(() =>
    microsandboxErrorResponse(new SandgateError('not_found', 'There is nothing at this address')),
  );
  app.onError((thrown, context) =>
    microsandboxErrorResponse(explainFailure(thrown, answerTo(context), log)),
  );
  return app;
}
