import type { DoorSandboxes } from '@sandgate/core';
import { type AppDependencies, createApp } from './app.ts';
import type { Authorizer } from './authorize/authorizer.ts';
import type { App } from './request-context.ts';

/** Asked of the app itself: to find its way the first time, it sorts all of its routes. */
const publicPath = '/api/v1/health';
/** What people look at first, and what reads most. */
const readPaths = ['/api/v1/dashboard/stats', '/api/v1/usage/summary'];

/**
 * Takes the first request of each kind upon itself. Code is compiled and pages are read when they are
 * needed first: that takes tens of times what the next request does, and everybody would wait.
 *
 * Reads are asked of an app that lets everything in and writes nothing down. No socket leads to it.
 */
export async function warmUp(
  app: App,
  dependencies: AppDependencies & { readonly sandboxes: DoorSandboxes },
): Promise<void> {
  const { sandboxes, storage, log } = dependencies;
  const ask = async (asked: App, path: string): Promise<void> => {
    const response = await asked.request(path, { headers: { 'x-api-key': 'warm-up' } });
    await response.text();
    if (!response.ok) log.warn({ path, status: response.status }, 'warming up failed');
  };
  await ask(app, publicPath);
  // Where nothing was ever asked there is little to read, and nobody who would wait.
  if ((await storage.usage.total()).calls === 0) return;
  const reading = createApp({
    ...dependencies,
    developmentMode: false,
    authorizer: letEverythingIn(sandboxes),
  });
  for (const path of readPaths) await ask(reading, path);
}

const letEverythingIn = (sandboxes: DoorSandboxes): Authorizer => ({
  identify: async () => null,
  personOf: async () => null,
  async perform(_, run) {
    const { value } = await run({
      caller: { kind: 'development' },
      workspace: null,
      sandboxes,
      limits: [],
      watch: () => undefined,
    });
    return value;
  },
});
