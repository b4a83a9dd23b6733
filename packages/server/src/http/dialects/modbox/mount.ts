import { SandgateError } from '@sandgate/core';
import { Hono } from 'hono';
import type { Logger } from 'pino';
import type { Authorizer } from '../../authorize/authorizer.ts';
import { CallLimit } from '../../call-limit.ts';
import { explainFailure } from '../../explain-failure.ts';
import { type App, answerTo } from '../../request-context.ts';
import { answerModbox } from './answer-route.ts';
import { modboxErrorResponse } from './error-response.ts';
import type { ModboxServices } from './modbox-route.ts';
import { modboxRoutes } from './modbox-routes.ts';
import { failurePage, readsPages } from './sso/failure-page.ts';

export interface ModboxDependencies extends Omit<ModboxServices, 'calls'> {
  readonly authorizer: Authorizer;
  readonly log: Logger;
}

/** Modbox's door: at `/modbox`, where its clients are pointed, and at the root beside the others. */
export function mountModbox(app: App, dependencies: ModboxDependencies): void {
  const { authorizer, log } = dependencies;
  const door: App = new Hono();
  const services = { ...dependencies, calls: new CallLimit() };
  for (const route of modboxRoutes) {
    for (const path of [honoPath(route.path), `${honoPath(route.path)}/`]) {
      door.on(route.method.toUpperCase(), path, (context) =>
        answerModbox(route, context, services, authorizer),
      );
    }
  }
  for (const path of new Set(modboxRoutes.map((route) => route.path))) {
    door.all(honoPath(path), () => {
      throw methodNotAllowed(path);
    });
  }
  for (const path of [
    '/auth/*',
    '/api-tokens/*',
    '/workspaces/*',
    '/sandboxes/*',
    '/sandbox-images/*',
    '/registries/*',
  ]) {
    door.all(path, () => {
      throw new SandgateError('not_found', 'There is nothing at this address');
    });
  }
  door.onError((thrown, context) => {
    const error = explainFailure(thrown, answerTo(context), log);
    return readsPages(context) ? failurePage(error) : modboxErrorResponse(error);
  });
  app.route('/', door);
  app.route('/modbox', door);
  app.all('/modbox/*', () =>
    modboxErrorResponse(new SandgateError('not_found', 'There is nothing at this address')),
  );
}

/** `{name}` as hono writes it. */
const honoPath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1');

function methodNotAllowed(path: string): SandgateError {
  const allow = modboxRoutes
    .filter((route) => route.path === path)
    .map(({ method }) => method.toUpperCase())
    .join(', ');
  return new SandgateError('method_not_allowed', 'Method Not Allowed', { data: { allow } });
}
