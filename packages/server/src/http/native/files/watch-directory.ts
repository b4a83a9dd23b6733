import { z } from 'zod';
import { answerWithEvents } from '../event-answer.ts';
import { defineRoute } from '../route.ts';
import { sandboxParams } from '../sandboxes/sandbox-schemas.ts';
import { queryFlag } from '../shared-schemas.ts';
import { filePath } from './file-schemas.ts';
import { filesOf } from './files-of.ts';
import { PendingChanges } from './pending-changes.ts';

export const watchDirectoryRoute = defineRoute({
  operationId: 'watchDirectory',
  method: 'get',
  path: '/api/v1/sandboxes/{sandbox}/files/watch',
  tag: 'Files',
  summary: 'Tell what changes in a directory, as server-sent events',
  description:
    'First an event watching: what changes from then on is told by events created, changed and removed, within a second. missed tells that there were more than a slow client could be sent, and end that the sandbox has stopped. A watcher does not keep a sandbox from being idle.',
  access: 'file:read',
  workspace: 'own',
  // It holds its place among the calls that run until it ends.
  safe: false,
  audit: null,
  params: sandboxParams,
  query: z.strictObject({
    path: filePath,
    recursive: queryFlag.default(false).meta({ description: 'Also in the directories beneath it' }),
  }),
  answer: z.null(),
  media: ['text/event-stream'],
  errors: [
    'file_conflict',
    'file_denied',
    'file_not_found',
    'payload_too_large',
    'sandbox_not_found',
  ],
  async run({ params, query: { path, recursive } }, context) {
    const files = await filesOf(context, params.sandbox);
    return await answerWithEvents(context, async (events, begin, signal) => {
      const changes = new PendingChanges();
      const watching = files
        .watch({
          path,
          recursive,
          signal,
          onWatching() {
            begin();
            void events.send({ event: 'watching', data: { path } });
          },
          onChange: (change) => changes.add(change),
        })
        .finally(() => changes.end());
      for await (const change of changes) {
        if (change === 'missed') await events.send({ event: change, data: {} });
        else await events.send({ event: change.kind, data: { path: change.path } });
      }
      await watching;
      if (!signal.aborted) await events.send({ event: 'end', data: {} });
    });
  },
});
