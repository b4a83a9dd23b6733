import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Readable;
  /** Without one, a call may take as long as the server likes. */
  readonly timeoutMs?: number;
  /** False: any certificate will do, for a server that is known to be this machine's own. */
  readonly verifyCertificate?: boolean;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * One HTTP request, up to the headers of its answer. Redirects are not followed: a key is for the
 * address it was meant for. `fetch` gives up after five minutes without an answer, and code in a
 * sandbox may run for longer.
 */
export function openHttp(call: HttpCall): Promise<IncomingMessage> {
  const { method, url, headers = {}, body, timeoutMs, verifyCertificate = true } = call;
  return new Promise((resolve, reject) => {
    const options = {
      method,
      headers,
      ...(timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(timeoutMs) }),
    };
    const request =
      url.protocol === 'https:'
        ? requestHttps(url, { ...options, rejectUnauthorized: verifyCertificate })
        : requestHttp(url, options);
    let answered = false;
    request.on('error', reject);
    request.once('response', (response) => {
      answered = true;
      resolve(response);
    });
    if (body === undefined || typeof body === 'string') {
      request.end(body);
      return;
    }
    // A server that refuses may answer before it has read everything, and then read no more.
    pipeline(body, request).catch((error) => {
      if (!answered) reject(error);
    });
  });
}

/** One HTTP request with its whole answer. */
export async function callHttp(call: HttpCall): Promise<HttpAnswer> {
  const response = await openHttp(call);
  return { status: response.statusCode ?? 0, text: await textOf(response) };
}

export async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
