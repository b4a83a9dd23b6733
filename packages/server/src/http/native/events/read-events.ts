import type { Sandbox, SandboxEvent } from '@sandgate/core';
import { z } from 'zod';
import { hasScope } from '../../authorize/require-scope.ts';
import { answerWithEvents, lastEventId, wantsEvents } from '../event-answer.ts';
import { type AuthorisedContext, defineRoute } from '../route.ts';
import { ownWorkspace, sandboxOf } from '../sandboxes/sandbox-call.ts';
import { sandboxParams } from '../sandboxes/sandbox-schemas.ts';
import { queryNumber } from '../shared-schemas.ts';
import { eventItem, toEventItem } from './event-schemas.ts';

const query = z.strictObject({
  after: queryNumber(0, Number.MAX_SAFE_INTEGER)
    .optional()
    .meta({ description: 'Id of an event, or next_after: what happened since' }),
  limit: queryNumber(1, 1_000).default(100).meta({ description: 'Of one answer in JSON' }),
});

const shared = {
  method: 'get',
  tag: 'Events',
  description:
    'The newest 1,000 of the workspace are kept while the server runs; events.missed says that some before are not, so that the state has to be read anew. With Accept: text/event-stream: first begin, then each as it happens, under the name of its kind and with its id; a client that comes back with it as Last-Event-ID misses none. Those of snapshots and volumes go to keys that may read those.',
  access: 'sandbox:read',
  workspace: 'own',
  // As a stream, it holds its place among the calls that run until it ends.
  safe: false,
  audit: null,
  query,
  answer: z.strictObject({
    events: z.array(eventItem).meta({ description: 'Oldest first' }),
    next_after: z.int().meta({ description: 'Where to go on from' }),
  }),
  media: ['text/event-stream'],
} as const;

export const listEventsRoute = defineRoute({
  ...shared,
  operationId: 'listEvents',
  path: '/api/v1/sandboxes/events',
  summary: 'Read what happens to the sandboxes, snapshots and volumes of a workspace',
  run: ({ query }, context) => readEvents(query, context, null),
});

export const listSandboxEventsRoute = defineRoute({
  ...shared,
  operationId: 'listSandboxEvents',
  path: '/api/v1/sandboxes/{sandbox}/events',
  summary: 'Read what happens to one sandbox, and to what belongs to it',
  description: `${shared.description} The stream ends when the sandbox is destroyed.`,
  params: sandboxParams,
  errors: ['sandbox_not_found'],
  async run({ params, query }, context) {
    const { sandbox } = await sandboxOf(context, params.sandbox, { includeDestroyed: true });
    return await readEvents(query, context, sandbox);
  },
});

async function readEvents(
  { after, limit }: z.output<typeof query>,
  context: AuthorisedContext,
  sandbox: Sandbox | null,
) {
  const workspace = ownWorkspace(context);
  const { sandboxes } = context.access;
  const isWanted = (event: SandboxEvent): boolean =>
    mayRead(context, event) && (sandbox === null || isAbout(event, sandbox.id));
  if (!wantsEvents(context)) {
    const past = await sandboxes.pastEvents(workspace, { afterId: after });
    const wanted = past.events.filter(isWanted);
    const events = wanted.slice(0, limit).map(toEventItem);
    return { events, next_after: wanted.length > limit ? (events.at(-1)?.id ?? 0) : past.lastId };
  }
  const from = lastEventId(context) ?? after;
  const past = await sandboxes.pastEvents(workspace, { afterId: from });
  const afterId = from ?? past.lastId;
  return await answerWithEvents(context, async (events, begin, signal) => {
    begin();
    await events.send({ event: 'begin', id: afterId, data: {} });
    const send = async (event: SandboxEvent): Promise<void> =>
      await events.send({ event: event.kind, id: event.id, data: toEventItem(event) });
    if (sandbox?.state === 'destroyed') {
      // Nothing comes after what is kept.
      const rest = from === undefined ? [] : past.events.filter(isWanted);
      for (const event of rest) await send(event);
      return;
    }
    for await (const event of sandboxes.events(workspace, { afterId, signal })) {
      if (!isWanted(event)) continue;
      await send(event);
      if (sandbox !== null && isEndOf(event)) return;
    }
  });
}

const isAbout = (event: SandboxEvent, sandboxId: string): boolean =>
  event.kind === 'events.missed' ||
  (event.kind === 'volume.state' ? event.attachedSandboxId : event.sandboxId) === sandboxId;

const isEndOf = (event: SandboxEvent): boolean =>
  event.kind === 'sandbox.state' && event.state === 'destroyed';

function mayRead({ access }: AuthorisedContext, { kind }: SandboxEvent): boolean {
  if (kind === 'snapshot.state') return hasScope(access, 'snapshot:read');
  return kind !== 'volume.state' || hasScope(access, 'volume:read');
}
