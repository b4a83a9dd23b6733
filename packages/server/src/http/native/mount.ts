import { SandgateError } from '@sandgate/core';
import { Hono } from 'hono';
import { METHOD_NAME_ALL } from 'hono/router';
import type { Logger } from 'pino';
import type { Authorizer } from '../authorize/authorizer.ts';
import { explainFailure } from '../explain-failure.ts';
import { type App, answerTo } from '../request-context.ts';
import { allRoutes } from './all-routes.ts';
import { answerRoute } from './answer-route.ts';
import { nativeErrorResponse } from './error-response.ts';
import { createNativeBounds } from './native-bounds.ts';
import { openApiDocument } from './openapi-document.ts';
import { mountReference } from './reference/mount-reference.ts';
import type { NativeBounds, NativeServices, Route } from './route.ts';

export interface NativeDependencies extends Omit<NativeServices, keyof NativeBounds> {
  readonly authorizer: Authorizer;
  readonly log: Logger;
  /** Of Sandgate, for the OpenAPI document. */
  readonly version: string;
}

/**
 * Sandgate's own door, which is nesirat's too: everything under `/api/v1` that no other door has
 * taken before, so it is mounted last of those.
 */
export function mountNative(app: App, dependencies: NativeDependencies): void {
  const { authorizer, log, version } = dependencies;
  const services = { ...dependencies, ...createNativeBounds(dependencies) };
  const door: App = new Hono();

  for (const route of allRoutes) {
    const methods = route.forwards === true ? METHOD_NAME_ALL : route.method.toUpperCase();
    door.on(methods, honoPath(route), (context) =>
      answerRoute(route, context, services, authorizer),
    );
  }
  mountReference(door, () => openApiDocument(allRoutes, version));
  for (const path of new Set(allRoutes.map((route) => route.path))) {
    door.all(honoPath({ path }), () => {
      throw methodNotAllowed(path);
    });
  }
  door.all('/api/v1/*', () => {
    throw new SandgateError('not_found', 'There is nothing at this address');
  });
  door.onError((thrown, context) =>
    nativeErrorResponse(explainFailure(thrown, answerTo(context), log)),
  );
  app.route('/', door);
}

/** `{name}` as hono writes it. */
const honoPath = ({ path, forwards }: Pick<Route, 'path' | 'forwards'>): string =>
  path.replace(/\{(\w+)\}/g, ':$1') + (forwards === true ? '{.*}' : '');

function methodNotAllowed(path: string): SandgateError {
  const methods = allRoutes
    .filter((route) => route.path === path)
    .map(({ method }) => method.toUpperCase());
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])].join(', ');
  return new SandgateError('method_not_allowed', `This address takes ${allow}`, {
    data: { allow },
  });
}
