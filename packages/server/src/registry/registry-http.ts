import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { createOutboundAgents } from '../outbound/outbound-agents.ts';
import {
  type OutboundPolicy,
  OutboundRefused,
  outboundUrlProblem,
  type ResolveHost,
} from '../outbound/outbound-target.ts';
import { toRegistryFailure, unreachable } from './registry-failure.ts';

export interface RegistryRequest {
  readonly method?: 'GET' | 'HEAD';
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface RegistryHttp {
  /** The head of an answer, whose body is the caller's to read or destroy. @throws SandgateError */
  send(url: URL, request: RegistryRequest): Promise<IncomingMessage>;
}

export interface RegistryHttpOptions {
  readonly allowedPrivateHosts: readonly string[];
  readonly resolve: ResolveHost;
  /** From a request to the head of its answer, and between two pieces of one. */
  readonly silenceMs: number;
}

const maxHeaderBytes = 32_768;
const idleConnectionMs = 4_000;
const maxIdleConnections = 32;

export const registryPolicy = (allowedPrivateHosts: readonly string[]): OutboundPolicy => ({
  what: 'registry',
  example: 'https://registry.example',
  setting: 'images.allowedPrivateHosts',
  allowedPrivateHosts,
});

/** Sends single requests, to addresses that the policy allows. Follows no redirects. */
export function createRegistryHttp(options: RegistryHttpOptions): RegistryHttp {
  const { silenceMs } = options;
  const policy = registryPolicy(options.allowedPrivateHosts);
  const agents = createOutboundAgents(policy, options.resolve, {
    timeout: idleConnectionMs,
    maxFreeSockets: maxIdleConnections,
  });
  return {
    async send(url, { method = 'GET', headers, signal }) {
      try {
        signal.throwIfAborted();
        const problem = outboundUrlProblem(url.href, policy);
        if (problem !== null) throw new OutboundRefused(problem);
        return await new Promise<IncomingMessage>((resolve, reject) => {
          const isSecure = url.protocol === 'https:';
          const request = (isSecure ? httpsRequest : httpRequest)(url, {
            method,
            agent: isSecure ? agents.https : agents.http,
            signal,
            maxHeaderSize: maxHeaderBytes,
            headers: { 'user-agent': 'sandgate', ...headers },
          });
          const silent = unreachable(`it was silent for ${Math.round(silenceMs / 1_000)} seconds`);
          const late = setTimeout(() => request.destroy(silent), silenceMs);
          request.once('response', (response) => {
            clearTimeout(late);
            request.setTimeout(silenceMs, () => response.destroy(silent));
            resolve(response);
          });
          request.once('upgrade', (_, socket) => {
            clearTimeout(late);
            socket.destroy();
            reject(unreachable('it switches protocols'));
          });
          request.on('error', (error) => {
            clearTimeout(late);
            reject(error);
          });
          request.end();
        });
      } catch (error) {
        throw toRegistryFailure(error, signal);
      }
    },
  };
}

/** @throws SandgateError `registry_unreachable` for more than `maxBytes`, or an end in the middle */
export async function readBody(
  answer: IncomingMessage,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of answer) {
      bytes += piece.length;
      if (bytes > maxBytes) throw unreachable('its answer is too long');
      pieces.push(piece);
    }
  } catch (error) {
    throw toRegistryFailure(error, signal);
  } finally {
    answer.destroy();
  }
  return Buffer.concat(pieces);
}

/** The JSON object in a body. Null: it is none. */
export function parseObject(body: Buffer): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : null;
  } catch {
    return null;
  }
}
