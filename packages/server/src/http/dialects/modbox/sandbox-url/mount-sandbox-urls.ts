import type { Logger } from 'pino';
import type { Authorizer } from '../../../authorize/authorizer.ts';
import { CallLimit } from '../../../call-limit.ts';
import { explainFailure } from '../../../explain-failure.ts';
import type { IdentityServices } from '../../../identity-services.ts';
import { OutputBudget } from '../../../output-budget.ts';
import { OutputPace } from '../../../output-pace.ts';
import { type App, answerTo, requestPath } from '../../../request-context.ts';
import { modboxErrorResponse } from '../error-response.ts';
import { answerSandboxUrl, type SandboxUrlDoor } from './answer-sandbox-url.ts';
import { type SandboxUrlSettings, sandboxAddressOf } from './sandbox-url.ts';

export interface SandboxUrlDependencies extends IdentityServices {
  readonly authorizer: Authorizer;
  readonly log: Logger;
  readonly sandboxUrls: SandboxUrlSettings;
}

const maxHeldBytes = 128 * 1024 * 1024;

/**
 * The URLs of sandboxes themselves. Mounted before every door: a host name of a sandbox is the sandbox's
 * alone.
 */
export function mountSandboxUrls(app: App, dependencies: SandboxUrlDependencies): void {
  const { authorizer, log, sandboxUrls } = dependencies;
  const door: SandboxUrlDoor = {
    authorizer,
    services: dependencies,
    calls: new CallLimit(),
    held: new OutputBudget(maxHeldBytes),
    pace: new OutputPace(),
  };
  app.use(async (context, next) => {
    const { host } = new URL(context.req.url);
    const address = sandboxAddressOf(sandboxUrls, host, requestPath(context));
    if (address === null) return await next();
    try {
      return await answerSandboxUrl(address, context, door);
    } catch (thrown) {
      const response = modboxErrorResponse(explainFailure(thrown, answerTo(context), log));
      const isPage = context.req.header('accept')?.includes('text/html') === true;
      if (response.status === 401 && isPage && address.prefix === '') {
        // So that a browser asks its user for the secret.
        response.headers.append('WWW-Authenticate', 'Basic realm="sandbox", charset="UTF-8"');
      }
      return response;
    }
  });
}
