import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { McpUpstreams, UpstreamAnswer, UpstreamRequest } from '@sandgate/core';
import { createOutboundAgents, type OutboundAgents } from '../outbound/outbound-agents.ts';
import {
  type OutboundPolicy,
  OutboundRefused,
  outboundUrlProblem,
  type ResolveHost,
} from '../outbound/outbound-target.ts';
import { readAnswer } from './read-answer.ts';
import { failed, timedOut, toFailure } from './upstream-failure.ts';

export interface HttpUpstreamOptions {
  readonly policy: OutboundPolicy;
  readonly resolve: ResolveHost;
  /** From the request to the head of the answer. */
  readonly answerMs: number;
  /** Between two pieces of an answer. */
  readonly silenceMs: number;
}

/** An upstream that was used a moment ago is used again by the same connection. */
const idleConnectionMs = 4_000;
const maxIdleConnections = 256;
const maxHeaderBytes = 32_768;
const maxRedirects = 3;

/** Calls upstreams by HTTP, where the policy allows. */
export function createHttpUpstreams(options: HttpUpstreamOptions): McpUpstreams {
  const { policy, resolve } = options;
  const agents = createOutboundAgents(policy, resolve, {
    timeout: idleConnectionMs,
    maxFreeSockets: maxIdleConnections,
  });

  const sendTo = (url: URL, request: UpstreamRequest): Promise<IncomingMessage> => {
    const problem = outboundUrlProblem(url.href, policy);
    if (problem !== null) throw new OutboundRefused(problem);
    return open(url, request, options, agents);
  };

  const follow = async (first: URL, request: UpstreamRequest): Promise<IncomingMessage> => {
    let url = first;
    for (let redirects = 0; ; redirects += 1) {
      const answer = await sendTo(url, request);
      const next = redirection(answer, url);
      if (next === null) return answer;
      answer.destroy();
      if (redirects === maxRedirects) throw failed('redirects without end');
      url = next;
    }
  };

  return {
    problem: (url) => outboundUrlProblem(url, policy),
    async send({ upstream }, request): Promise<UpstreamAnswer> {
      try {
        if (upstream.kind !== 'url') throw failed('it has no address');
        const answer = await follow(new URL(upstream.url), request);
        return {
          status: answer.statusCode ?? 0,
          header: (name) => {
            const value = answer.headers[name];
            return (Array.isArray(value) ? value[0] : value) ?? null;
          },
          body: readAnswer(answer),
        };
      } catch (error) {
        throw toFailure(error, request.signal);
      }
    },
    async close() {
      agents.destroy();
    },
  };
}

function open(
  url: URL,
  { method, headers, body, signal }: UpstreamRequest,
  { answerMs, silenceMs }: HttpUpstreamOptions,
  agents: OutboundAgents,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const isSecure = url.protocol === 'https:';
    const request = (isSecure ? httpsRequest : httpRequest)(url, {
      method,
      agent: isSecure ? agents.https : agents.http,
      signal,
      maxHeaderSize: maxHeaderBytes,
      headers:
        body === null ? headers : { ...headers, 'content-length': String(Buffer.byteLength(body)) },
    });
    const late = setTimeout(() => request.destroy(timedOut(answerMs)), answerMs);
    const stop = (): void => clearTimeout(late);
    request.once('response', (response) => {
      stop();
      request.setTimeout(silenceMs, () => response.destroy(timedOut(silenceMs)));
      resolve(response);
    });
    // Nothing in the protocol switches to another one.
    request.once('upgrade', (_, socket) => {
      stop();
      socket.destroy();
      reject(failed('it switches protocols'));
    });
    // More than one: a request that is still being sent goes on for a moment after its connection broke.
    request.on('error', (error) => {
      stop();
      reject(error);
    });
    request.end(body ?? undefined);
  });
}

/** On the same host, with the same method and body: elsewhere is not where the headers were meant for. */
function redirection(answer: IncomingMessage, from: URL): URL | null {
  const { statusCode = 0, headers } = answer;
  if (statusCode < 300 || statusCode > 399 || statusCode === 304) return null;
  const { location = '' } = headers;
  const to = URL.canParse(location, from.href) ? new URL(location, from) : null;
  if ((statusCode === 307 || statusCode === 308) && to?.origin === from.origin) return to;
  answer.destroy();
  throw failed('it redirects elsewhere. Register the address that it is at');
}
