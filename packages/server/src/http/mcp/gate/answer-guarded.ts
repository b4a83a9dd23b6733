import { type PlacedMcpServer, SandgateError } from '@sandgate/core';
import { actorOf } from '../../authorize/actor-of.ts';
import { type Access, type Call, failureOf } from '../../authorize/authorizer.ts';
import { type CredentialHeader, readCredential } from '../../authorize/read-credential.ts';
import { reportLimits } from '../../authorize/report-limits.ts';
import { explainFailure } from '../../explain-failure.ts';
import { nativeStatus } from '../../native/error-response.ts';
import { answerTo, headerValues, peerAddress, type RequestContext } from '../../request-context.ts';
import { earlyAnswer } from './early-answer.ts';
import { forwardMessage } from './forward-message.ts';
import { failureMessage } from './gate-error.ts';
import type { Gate } from './mount-gate.ts';
import type { Received } from './receive-message.ts';
import { whileUnchanged } from './while-unchanged.ts';

const acceptedHeaders: readonly CredentialHeader[] = [
  'authorization',
  'x-api-key',
  'x-brimble-key',
];

/** No workspace is called so: a server that is not there is looked for in none. */
const nowhere = '';

/** What stands in a record for the name of a server that is not there, for the caller. */
const nobodys = '{name}';

export interface NamedServer {
  readonly name: string;
  /** Null: there is none of that name. */
  readonly placed: PlacedMcpServer | null;
}

/** A request for a server that asks for a key, or for one that is not there. */
export async function answerGuarded(
  gate: Gate,
  context: RequestContext,
  named: NamedServer,
  receive: () => Promise<Received>,
): Promise<Response> {
  const { authorizer, endpoints, clock } = gate;
  const credential = readCredential(headerValues(context), acceptedHeaders);
  const address = peerAddress(context);
  const resource = `/mcp/servers/${named.name}`;
  const refusal = await authorizer.identify({ credential, address, resource });
  if (refusal !== null) throw refusal;
  const received = await receive();
  const tool = received.message?.tool ?? null;
  const { name, placed } = named;
  try {
    return await earlyAnswer((respond) =>
      authorizer.perform(
        // Read for whoever is let in, and remembered then.
        withEndpoint(() => endpoints.of(placed === null ? nobodys : name, tool), {
          credential,
          address,
          resource,
          requestId: context.get('requestId'),
          onLimits: reportLimits(context, clock),
          statusOf: nativeStatus,
          method: context.req.method,
          hiddenEndpoint: endpoints.of(nobodys, null),
          scope: 'mcp:call',
          workspace: { kind: 'named', slug: placed?.slug ?? nowhere },
          mcpTool: { server: name, tool },
          // What a tool changes is not known.
          safe: tool === null,
        }),
        async (access) => {
          const answered = await gate.calls.run(nameOf(access), () =>
            carryOut(gate, context, { named, received, access, respond }),
          );
          return { value: answered.response, status: answered.status };
        },
      ),
    );
  } catch (error) {
    throw unknownWhenForeign(error);
  }
}

/** A class and no getter in the literal: that would leave V8 a hidden class for each call. */
class LateEndpoint {
  readonly #read: () => string;

  constructor(read: () => string) {
    this.#read = read;
  }

  get endpoint(): string {
    return this.#read();
  }
}

const withEndpoint = (read: () => string, call: Omit<Call, 'endpoint'>): Call =>
  Object.assign(new LateEndpoint(read), call);

const notFound = (): SandgateError =>
  new SandgateError('mcp_server_not_found', 'MCP server not found');

/** The same words for what is not there and what is somebody else's. */
function unknownWhenForeign(error: unknown): unknown {
  const isForeign =
    error instanceof SandgateError &&
    (error.code === 'access_denied' || error.code === 'workspace_not_found');
  return isForeign ? notFound() : error;
}

const nameOf = ({ caller }: Access): string =>
  caller.kind === 'key' ? String(caller.key.number) : caller.kind;

interface GuardedCall {
  readonly named: NamedServer;
  readonly received: Received;
  readonly access: Access;
  readonly respond: (response: Response) => void;
}

async function carryOut(gate: Gate, context: RequestContext, call: GuardedCall) {
  const { received, access, named, respond } = call;
  const address = peerAddress(context);
  const { message, problem } = received;
  if (problem !== null) throw problem;
  if (named.placed === null) throw notFound();
  const { server } = named.placed;
  const requestId = context.get('requestId');
  const forward = () =>
    whileUnchanged(gate, server, access, (cut) =>
      forwardMessage(gate, {
        ...{ server, message, access, respond, requestId },
        request: context.req.raw,
        signal: AbortSignal.any([context.req.raw.signal, cut]),
        failure: (error) => wordFailure(gate, context, message, error),
      }),
    );
  if (message === null || message.tool === null) return await forward();
  const attempt = {
    action: 'mcp.call',
    target: `tool:${server.name}/${message.tool}`,
    actor: actorOf(access),
    workspaceId: server.workspaceId,
    address,
    requestId,
  };
  try {
    const answered = await forward();
    await gate.callRecorder.take({ ...attempt, outcome: 'done' });
    return answered;
  } catch (error) {
    const details = { code: failureOf(error).code };
    await gate.callRecorder.take({ ...attempt, outcome: 'failed', details });
    throw error;
  }
}

export function wordFailure(
  { log }: Gate,
  context: RequestContext,
  message: Received['message'],
  error: unknown,
): unknown {
  const { requestId } = answerTo(context);
  const explained = explainFailure(error, { requestId, setHeader: () => undefined }, log);
  return message === null ? null : failureMessage(explained, message);
}
