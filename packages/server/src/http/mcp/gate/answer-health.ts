import { type McpServer, SandgateError } from '@sandgate/core';
import { peerAddress, type RequestContext } from '../../request-context.ts';
import type { Gate } from './mount-gate.ts';

const timeoutMs = 5_000;

/**
 * Whether an upstream is well, for anybody, where its owner says so. Its own answer is not shown, and it
 * is asked without the headers that are for its callers.
 * @throws SandgateError `credential_missing` for a server that says nothing, or is not there
 */
export async function answerHealth(
  gate: Gate,
  context: RequestContext,
  server: McpServer | null,
): Promise<Response> {
  const path = server?.healthPath ?? null;
  if (server?.upstream.kind !== 'url' || path === null) {
    throw new SandgateError('credential_missing', 'An API key is required');
  }
  gate.chargeAddress(peerAddress(context));
  const isWell = await ask(
    gate,
    { ...server, upstream: { kind: 'url', url: new URL(path, server.upstream.url).href } },
    context,
  );
  return Response.json(
    { status: isWell ? 'ok' : 'failing' },
    { status: isWell ? 200 : 503, headers: { 'Cache-Control': 'no-store' } },
  );
}

async function ask(
  { upstreams }: Gate,
  server: McpServer,
  context: RequestContext,
): Promise<boolean> {
  try {
    const { status, body } = await upstreams.send(server, {
      method: 'GET',
      headers: {},
      body: null,
      signal: AbortSignal.any([context.req.raw.signal, AbortSignal.timeout(timeoutMs)]),
    });
    await body.cancel();
    return status >= 200 && status <= 299;
  } catch {
    return false;
  }
}
