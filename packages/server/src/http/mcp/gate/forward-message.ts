import {
  type CallerAssertions,
  type McpServer,
  type McpUpstreams,
  openMcpHeaders,
  SandgateError,
  type TextSealer,
} from '@sandgate/core';
import type { Access } from '../../authorize/authorizer.ts';
import type { BoundSessions } from './bound-session.ts';
import { forwardedHeaders, requireSmallHeaders } from './forwarded-headers.ts';
import type { GateMessage } from './read-gate-message.ts';
import { relayAnswer } from './relay-answer.ts';
import { toolFilterFor } from './tool-filter.ts';

export interface ForwardDependencies {
  readonly upstreams: McpUpstreams;
  readonly sealer: TextSealer;
  readonly assertions: CallerAssertions;
  readonly sessions: BoundSessions;
}

export interface Forward {
  readonly server: McpServer;
  readonly request: Request;
  readonly requestId: string;
  /** Null of what is no POST. */
  readonly message: GateMessage | null;
  /** Null at a server that asks for no key. */
  readonly access: Access | null;
  /** Ends it: the client has gone, or may not call any more. */
  readonly signal: AbortSignal;
  readonly respond: (response: Response) => void;
  /** Words a failure for the client, in the place of an answer. */
  readonly failure: (error: unknown) => unknown;
}

/** What the upstream learns of who calls. */
const assertionHeader = 'x-sandgate-identity';
const sessionHeader = 'mcp-session-id';
const unknownCaller = 'anyone';

/** Carries one request to an upstream, and its answer back. @returns null when it was handed over early */
export async function forwardMessage(
  dependencies: ForwardDependencies,
  forward: Forward,
): Promise<{ readonly status: number; readonly response: Response | null }> {
  const { server, request, message, access } = forward;
  const left = new AbortController();
  const signal = AbortSignal.any([forward.signal, left.signal]);
  const owner = { server, caller: callerOf(access) ?? unknownCaller };
  const answer = await whileWanted(forward.signal, async () =>
    dependencies.upstreams.send(server, {
      method: request.method as 'GET' | 'POST' | 'DELETE',
      headers: await headersFor(dependencies, forward, owner),
      body: message?.text ?? null,
      signal,
    }),
  );
  const session = answer.header(sessionHeader);
  const key = access?.caller.kind === 'key' ? access.caller.key : null;
  return await relayAnswer(answer, {
    headers:
      session === null ? {} : { 'Mcp-Session-Id': dependencies.sessions.bind(session, owner) },
    filter: toolFilterFor(key, server),
    awaited: message?.method == null ? null : message.id,
    failure: forward.failure,
    respond: forward.respond,
    leave: () => left.abort(),
    passesCredentials: !server.authentication,
  });
}

/** What an aborted request throws is nobody's failure. */
async function whileWanted<Result>(
  signal: AbortSignal,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!signal.aborted) throw error;
    throw signal.reason instanceof SandgateError
      ? signal.reason
      : new SandgateError('request_abandoned', 'The client went away');
  }
}

async function headersFor(
  { sealer, assertions, sessions }: ForwardDependencies,
  { server, request, requestId, message, access }: Forward,
  owner: { readonly server: McpServer; readonly caller: string },
): Promise<Readonly<Record<string, string>>> {
  const forwarded = forwardedHeaders(request.headers, server);
  requireSmallHeaders(forwarded);
  const session = request.headers.get(sessionHeader);
  const subject = callerOf(access);
  return {
    ...forwarded,
    ...openMcpHeaders(sealer, server),
    accept: request.headers.get('accept') ?? usualAccept,
    'accept-encoding': 'identity',
    ...(message === null ? {} : { 'content-type': 'application/json' }),
    ...(session === null ? {} : { [sessionHeader]: sessions.open(session, owner) }),
    // A command has no headers to read it in.
    ...(access === null || subject === null || server.upstream.kind === 'command'
      ? {}
      : {
          [assertionHeader]: await assertions.assert({
            audience: `mcp-server:${server.name}`,
            subject,
            requestId,
            body: message?.text ?? '',
            facts: {
              workspace: access.workspace?.slug ?? null,
              http_method: request.method,
              method: message?.method ?? null,
              tool: message?.tool ?? null,
            },
          }),
        }),
  };
}

const usualAccept = 'application/json, text/event-stream';

/** As the audit names who acts. */
function callerOf(access: Access | null): string | null {
  if (access === null) return null;
  if (access.caller.kind === 'development') return 'development';
  const { number } = access.caller.key;
  return number < 0 ? `user:${-number}` : `key:${number}`;
}
