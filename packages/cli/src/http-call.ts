import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

export interface HttpCall {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
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
 * One HTTP request. Redirects are not followed: a key is for the address it was meant for. `fetch`
 * gives up after five minutes without an answer, and code in a sandbox may run for longer.
 */
export function callHttp(call: HttpCall): Promise<HttpAnswer> {
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
    request.once('error', reject);
    request.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.once('error', reject);
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          text: Buffer.concat(chunks).toString('utf8'),
        });
      });
    });
    request.end(body);
  });
}
