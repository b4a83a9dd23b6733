import { createKeyedQueue } from '@sandgate/core';
import type { Logger } from 'pino';
import type { Authorizer } from '../../authorize/authorizer.ts';
import { CallLimit } from '../../call-limit.ts';
import { explainFailure } from '../../explain-failure.ts';
import { OutputBudget } from '../../output-budget.ts';
import { OutputPace } from '../../output-pace.ts';
import { type App, answerTo, headerValues, requestPath } from '../../request-context.ts';
import { answerBrimble, type BrimbleDoor } from './answer-route.ts';
import type { BrimbleServices } from './brimble-route.ts';
import { brimbleRoutes } from './brimble-routes.ts';
import { brimbleErrorResponse } from './error-response.ts';
import { matchRoute, pathSegments } from './match-route.ts';
import { OnceOnly } from './once-only.ts';

export interface BrimbleDependencies extends BrimbleServices {
  readonly authorizer: Authorizer;
  readonly log: Logger;
}

/** What all answers may hold together, and what all bodies that are read as a whole may. */
const maxHeldBytes = 256 * 1024 * 1024;

/** First segments of the paths that are this door's at the root, where a request carries its key. */
const rootSegments: ReadonlySet<string> = new Set(['sandbox', 'sandboxes', 'volumes']);

/**
 * Brimble's door: at `/brimble`, and at the root for requests that carry `x-brimble-key`. The keys of
 * an account, at `/core/v1/api-key`, carry another credential.
 */
export function mountBrimble(app: App, dependencies: BrimbleDependencies): void {
  const door: BrimbleDoor = {
    authorizer: dependencies.authorizer,
    services: {
      ...dependencies,
      calls: new CallLimit(),
      held: new OutputBudget(maxHeldBytes),
      uploads: new OutputBudget(maxHeldBytes),
      pace: new OutputPace(),
      keysInTurn: createKeyedQueue(),
      onceOnly: new OnceOnly(),
    },
  };
  app.use(async (context, next) => {
    const hasKey = () => headerValues(context)('x-brimble-key').length > 0;
    // As it was sent: what was resolved or decoded on the way may name something else.
    const segments = doorSegments(pathSegments(requestPath(context)), hasKey);
    if (segments === null) return await next();
    try {
      const match = matchRoute(brimbleRoutes, context.req.method, segments);
      return await answerBrimble(match, context, door);
    } catch (thrown) {
      return brimbleErrorResponse(explainFailure(thrown, answerTo(context), dependencies.log));
    }
  });
}

/** A path without the door's own prefix, or null where it is another door's. */
export function doorSegments(
  segments: readonly string[],
  hasKey: () => boolean,
): readonly string[] | null {
  const [first = '', second, third] = segments;
  if (first === 'brimble') return segments.slice(1);
  if (first === 'core' && second === 'v1' && third === 'api-key') return segments;
  return rootSegments.has(first) && hasKey() ? segments : null;
}
