import type { ProcessOutput } from '@sandgate/core';
import { z } from 'zod';
import { answerWithEvents, lastEventId, wantsEvents } from '../event-answer.ts';
import { encoded, partFields, partQuery, type WantedPart } from '../readings/byte-part.ts';
import { wholeCharactersLength } from '../readings/whole-characters.ts';
import { type AuthorisedContext, defineRoute } from '../route.ts';
import { type SandboxCall, sandboxOf } from '../sandboxes/sandbox-call.ts';
import { processParams, processStanding, standingOf } from './process-schemas.ts';

export const readProcessOutputRoute = defineRoute({
  operationId: 'readProcessOutput',
  method: 'get',
  path: '/api/v1/sandboxes/{sandbox}/processes/{process}/output',
  tag: 'Processes',
  summary: 'Read what a background process wrote',
  description:
    'Bytes are counted over both streams together. With Accept: text/event-stream, what it writes comes as it is written, as events stdout and stderr, cut where older output is not kept any more, and exit in the end. The id of an event is the byte to go on from: a client that sends it as Last-Event-ID goes on there. Any number of clients may read; the process does not wait for them.',
  access: 'sandbox:read',
  workspace: 'own',
  // As a stream, it holds its place among the calls that run until it ends.
  safe: false,
  audit: null,
  params: processParams,
  query: partQuery,
  answer: z.strictObject({
    stdout: z.string(),
    stderr: z.string(),
    ...partFields('How much it has written at the moment'),
    cut: z.boolean().meta({ description: 'What stood between is not kept any more' }),
    ...processStanding,
  }),
  media: ['text/event-stream'],
  errors: ['process_not_found', 'sandbox_not_found'],
  async run({ params, query }, context) {
    const call = await sandboxOf(context, params.sandbox);
    const { sandboxes, workspace, sandbox } = call;
    const process = await sandboxes.findProcess(workspace, sandbox.id, params.process);
    const after = wantsEvents(context) ? lastEventId(context) : undefined;
    const asked = after ?? query.from_byte;
    const wanted = { ...query, from_byte: asked < 0 ? process.outputToByte + asked : asked };
    const fromByte = Math.max(0, wanted.from_byte);
    return wantsEvents(context)
      ? await follow(call, process.id, context, { ...wanted, from_byte: fromByte })
      : await readPart(call, process.id, { ...wanted, from_byte: fromByte });
  },
});

type Stream = ProcessOutput['stream'];

async function readPart(
  { sandboxes, workspace, sandbox }: SandboxCall,
  processId: string,
  { from_byte, max_bytes, encoding }: WantedPart,
) {
  const pieces: Record<Stream, Buffer[]> = { stdout: [], stderr: [] };
  let fromByte: number | null = null;
  let toByte = from_byte;
  let last: Stream = 'stdout';
  const output = sandboxes.processOutput(workspace, sandbox.id, processId, { fromByte: from_byte });
  for await (const piece of output) {
    fromByte ??= piece.fromByte;
    const data = piece.data.subarray(0, fromByte + max_bytes - piece.fromByte);
    pieces[piece.stream].push(data);
    toByte = piece.fromByte + data.byteLength;
    last = piece.stream;
    if (toByte - fromByte >= max_bytes) break;
  }
  const { end, outputToByte } = await sandboxes.findProcess(workspace, sandbox.id, processId);
  const whole = { stdout: Buffer.concat(pieces.stdout), stderr: Buffer.concat(pieces.stderr) };
  // Where more is to come, a character of which the beginning has come is left for the next part.
  if (encoding === 'text' && (end === null || toByte < outputToByte)) {
    const data = whole[last];
    whole[last] = data.subarray(0, wholeCharactersLength(data));
    toByte -= data.byteLength - whole[last].byteLength;
  }
  return {
    stdout: encoded(whole.stdout, encoding),
    stderr: encoded(whole.stderr, encoding),
    from_byte: fromByte ?? toByte,
    to_byte: toByte,
    end_byte: outputToByte,
    cut: (fromByte ?? from_byte) > from_byte,
    ...standingOf(end),
  };
}

async function follow(
  { sandboxes, workspace, sandbox }: SandboxCall,
  processId: string,
  context: AuthorisedContext,
  { from_byte, encoding }: WantedPart,
): Promise<null> {
  return await answerWithEvents(context, async (events, begin, signal) => {
    begin();
    /** Of each stream the beginning of a character, until the rest of it is written. */
    const rests: Record<Stream, Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
    let toByte = from_byte;
    const send = async (stream: Stream, data: Buffer): Promise<void> => {
      if (data.byteLength === 0) return;
      // In the middle of a character there is no place to go on from without a loss.
      const isWhole = rests.stdout.byteLength + rests.stderr.byteLength === 0;
      const id = isWhole ? { id: toByte } : {};
      await events.send({ event: stream, ...id, data: { [encoding]: encoded(data, encoding) } });
    };
    const request = { fromByte: from_byte, follow: true, signal };
    const output = sandboxes.processOutput(workspace, sandbox.id, processId, request);
    for await (const { stream, fromByte, data: piece } of output) {
      if (fromByte > toByte) {
        await events.send({ event: 'cut', data: { from_byte: toByte, to_byte: fromByte } });
      }
      const data = Buffer.concat([rests[stream], piece]);
      const length = encoding === 'text' ? wholeCharactersLength(data) : data.byteLength;
      rests[stream] = data.subarray(length);
      toByte = fromByte + piece.byteLength;
      await send(stream, data.subarray(0, length));
    }
    if (signal.aborted) return;
    for (const stream of ['stdout', 'stderr'] as const) {
      const rest = rests[stream];
      rests[stream] = Buffer.alloc(0);
      await send(stream, rest);
    }
    const { end } = await sandboxes.findProcess(workspace, sandbox.id, processId);
    await events.send({ event: 'exit', id: toByte, data: standingOf(end) });
  });
}
