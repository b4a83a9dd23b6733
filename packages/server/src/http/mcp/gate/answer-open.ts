import type { McpServer } from '@sandgate/core';
import { peerAddress, type RequestContext } from '../../request-context.ts';
import { wordFailure } from './answer-guarded.ts';
import { earlyAnswer } from './early-answer.ts';
import { forwardMessage } from './forward-message.ts';
import type { Gate } from './mount-gate.ts';
import type { Received } from './receive-message.ts';
import { whileUnchanged } from './while-unchanged.ts';

/** A request for a server that asks for no key. Nobody is known, so what bounds it is its address. */
export async function answerOpen(
  gate: Gate,
  context: RequestContext,
  server: McpServer,
  receive: () => Promise<Received>,
): Promise<Response> {
  const address = peerAddress(context);
  gate.chargeAddress(address);
  const { message, problem } = await receive();
  if (problem !== null) throw problem;
  return await earlyAnswer(async (respond) => {
    const { response } = await gate.calls.run(`address ${address}`, () =>
      whileUnchanged(gate, server, null, (cut) =>
        forwardMessage(gate, {
          ...{ server, message, access: null, respond },
          request: context.req.raw,
          requestId: context.get('requestId'),
          signal: AbortSignal.any([context.req.raw.signal, cut]),
          failure: (error) => wordFailure(gate, context, message, error),
        }),
      ),
    );
    return response;
  });
}
