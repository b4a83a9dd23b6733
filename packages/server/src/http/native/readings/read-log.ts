import { z } from 'zod';
import { answerWithEvents, lastEventId, wantsEvents } from '../event-answer.ts';
import { type AuthorisedContext, defineRoute } from '../route.ts';
import { type SandboxCall, sandboxOf } from '../sandboxes/sandbox-call.ts';
import { sandboxParams } from '../sandboxes/sandbox-schemas.ts';
import { encoded, partFields, partQuery, type WantedPart } from './byte-part.ts';
import { wholeCharactersLength } from './whole-characters.ts';

export const readLogRoute = defineRoute({
  operationId: 'readLog',
  method: 'get',
  path: '/api/v1/sandboxes/{sandbox}/logs',
  tag: 'Readings',
  summary: 'Read what the main command of a sandbox wrote',
  description:
    'With Accept: text/event-stream, what it writes comes as it is written, as events log, and in the end end, when the sandbox runs no more. The id of each event is the byte to go on from: a client that sends it as Last-Event-ID goes on there. As text, a part ends with a whole character.',
  access: 'sandbox:read',
  workspace: 'own',
  // As a stream, it holds its place among the calls that run until it ends.
  safe: false,
  audit: null,
  params: sandboxParams,
  query: partQuery,
  answer: z.strictObject({
    data: z.string(),
    ...partFields('Length of the whole log at the moment'),
  }),
  media: ['text/event-stream'],
  errors: ['sandbox_not_found'],
  async run({ params, query }, context) {
    const call = await sandboxOf(context, params.sandbox);
    if (wantsEvents(context)) return await follow(call, context, query);
    const request = { fromByte: query.from_byte, maxBytes: query.max_bytes };
    const part = await call.sandboxes.readLog(call.workspace, call.sandbox.id, request);
    const whole = query.encoding === 'base64' || part.toByte === part.endByte;
    const { data } = part;
    const length = whole ? data.byteLength : wholeCharactersLength(data);
    return {
      data: encoded(data.subarray(0, length), query.encoding),
      from_byte: part.fromByte,
      to_byte: part.fromByte + length,
      end_byte: part.endByte,
    };
  },
});

async function follow(
  { sandbox, workspace, sandboxes }: SandboxCall,
  context: AuthorisedContext,
  { from_byte, encoding }: Omit<WantedPart, 'max_bytes'>,
): Promise<null> {
  const fromByte = lastEventId(context) ?? from_byte;
  return await answerWithEvents(context, async (events, begin, signal) => {
    begin();
    let toByte = Math.max(0, fromByte);
    /** The beginning of a character, until the rest of it is written. */
    let rest: Buffer = Buffer.alloc(0);
    const send = async (data: Buffer, id: number): Promise<void> => {
      if (data.byteLength === 0) return;
      await events.send({ event: 'log', id, data: { [encoding]: encoded(data, encoding) } });
    };
    const parts = sandboxes.followLog(workspace, sandbox.id, { fromByte, signal });
    for await (const part of parts) {
      const data = Buffer.concat([rest, part.data]);
      const length = encoding === 'text' ? wholeCharactersLength(data) : data.byteLength;
      rest = data.subarray(length);
      toByte = part.toByte - rest.byteLength;
      await send(data.subarray(0, length), toByte);
    }
    if (signal.aborted) return;
    toByte += rest.byteLength;
    await send(rest, toByte);
    await events.send({ event: 'end', id: toByte, data: { to_byte: toByte } });
  });
}
