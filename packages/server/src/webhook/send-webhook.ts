import { type ClientRequest, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import {
  type OutboundPolicy,
  OutboundRefused,
  type ResolveHost,
  resolveOutbound,
} from '../outbound/outbound-target.ts';

export interface WebhookMessage {
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface SendOptions {
  readonly policy: OutboundPolicy;
  readonly resolve: ResolveHost;
  /** For everything: resolving, connecting, sending and the answer's head. */
  readonly timeoutMs: number;
}

/**
 * Posts a message once. Answers of 200 to 299 are success; redirects are not followed, since they
 * lead elsewhere than the workspace said. The body of the answer is not read.
 * @returns null, or why it failed, for the workspace's people
 */
export async function sendWebhook(
  message: WebhookMessage,
  options: SendOptions,
): Promise<string | null> {
  const signal = AbortSignal.timeout(options.timeoutMs);
  try {
    const url = new URL(message.url);
    const [{ address, family }] = await withinTime(
      resolveOutbound(url, options.policy, options.resolve),
      signal,
    );
    const status = await post(url, message, { address, family, signal });
    if (status >= 200 && status < 300) return null;
    if (status >= 300 && status < 400) return `answered ${status}: redirects are not followed`;
    return `answered ${status}`;
  } catch (error) {
    if (signal.aborted) return `did not answer within ${options.timeoutMs / 1_000} seconds`;
    if (error instanceof OutboundRefused) return error.message;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no connection';
    return `could not be reached: ${code}`;
  }
}

async function withinTime<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

interface Connection {
  readonly address: string;
  readonly family: 4 | 6;
  readonly signal: AbortSignal;
}

function post(url: URL, message: WebhookMessage, connection: Connection): Promise<number> {
  const { address, family, signal } = connection;
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request: ClientRequest = send(
      url,
      {
        method: 'POST',
        // A connection of its own: one from a pool could go to an address of another time.
        agent: false,
        signal,
        lookup: (_host, lookup, done) => {
          if (lookup.all === true) done(null, [{ address, family }]);
          else done(null, address, family);
        },
        maxHeaderSize: 16_384,
        headers: {
          ...message.headers,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(message.body),
          'user-agent': 'sandgate-webhook',
          connection: 'close',
        },
      },
      (response) => {
        resolve(response.statusCode ?? 0);
        response.destroy();
      },
    );
    // A connection may fail again after its answer.
    request.on('error', reject);
    request.end(message.body);
  });
}
