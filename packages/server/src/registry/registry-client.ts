import type { IncomingMessage } from 'node:http';
import { type RegistryCredentials, SandgateError } from '@sandgate/core';
import { type ImageReference, registryUrl } from './image-reference.ts';
import { answerChallenge, unauthorized } from './registry-authorization.ts';
import { unreachable } from './registry-failure.ts';
import type { RegistryHttp, RegistryRequest } from './registry-http.ts';

export interface RegistryClientOptions {
  readonly reference: ImageReference;
  readonly credentials: RegistryCredentials | null;
  readonly allowHttp: boolean;
}

const maxRedirects = 5;
/** A token is for all requests of a client, so that none of them may take it along when it is given up. */
const tokenDeadlineMs = 120_000;

/** Reads one repository of one registry (OCI distribution specification 1.1) as one user. */
export class RegistryClient {
  readonly #http: RegistryHttp;
  readonly #options: RegistryClientOptions;
  readonly #base: URL;
  #authorization: string | null = null;
  /** One answer to a challenge at a time: layers are asked for at once. */
  #answering: Promise<string> | null = null;

  constructor(http: RegistryHttp, options: RegistryClientOptions) {
    this.#http = http;
    this.#options = options;
    this.#base = new URL(registryUrl(options.reference, options.allowHttp));
  }

  /** By a tag or digest. @throws SandgateError `image_not_found` and those of `ImagePuller.pull` */
  async manifest(version: string, accept: string, signal: AbortSignal): Promise<IncomingMessage> {
    return await this.#read(`manifests/${version}`, { headers: { accept }, signal });
  }

  /** From a byte on; the status tells whether it is from there. */
  async blob(digest: string, fromByte: number, signal: AbortSignal): Promise<IncomingMessage> {
    const range = fromByte === 0 ? {} : { range: `bytes=${fromByte}-` };
    // A coding on the way would make other bytes of it than its digest is of.
    const headers = { 'accept-encoding': 'identity', ...range };
    return await this.#read(`blobs/${digest}`, { headers, signal });
  }

  /** That this user may have the blob. @throws SandgateError as `blob` */
  async requireBlob(digest: string, signal: AbortSignal): Promise<void> {
    (await this.#read(`blobs/${digest}`, { method: 'HEAD', headers: {}, signal })).destroy();
  }

  async #read(path: string, request: RegistryRequest): Promise<IncomingMessage> {
    const { repository } = this.#options.reference;
    const url = new URL(`/v2/${repository}/${path}`, this.#base);
    const sent = this.#authorization;
    const first = await this.#follow(url, request, sent);
    if (first.statusCode !== 401) return this.#require(first);
    first.destroy();
    // Another request may have got a new token meanwhile.
    if (this.#authorization === sent) {
      this.#answering ??= this.#answer(first.headers['www-authenticate'] ?? '').finally(() => {
        this.#answering = null;
      });
      this.#authorization = await this.#answering;
    }
    return this.#require(await this.#follow(url, request, this.#authorization));
  }

  #answer(challenge: string): Promise<string> {
    const { credentials, reference } = this.#options;
    const { repository } = reference;
    const signal = AbortSignal.timeout(tokenDeadlineMs);
    const context = { registry: this.#base, repository, credentials, signal };
    return answerChallenge(this.#http, context, challenge);
  }

  #require(answer: IncomingMessage): IncomingMessage {
    const { statusCode = 0 } = answer;
    if (statusCode === 200 || statusCode === 206) return answer;
    answer.destroy();
    const { credentials, reference } = this.#options;
    if (statusCode === 401 || statusCode === 403) throw unauthorized(credentials);
    if (statusCode === 404) {
      throw new SandgateError(
        'image_not_found',
        `${reference.registry} has no image ${reference.repository} of ${reference.version}, or does not show it`,
      );
    }
    if (statusCode === 429) throw unreachable('it takes no more requests for now');
    throw unreachable(`it answers with status ${statusCode}`);
  }

  /** Blobs are often kept elsewhere, at an address that is all that is needed to read them. */
  async #follow(
    first: URL,
    request: RegistryRequest,
    authorization: string | null,
  ): Promise<IncomingMessage> {
    let url = first;
    for (let redirects = 0; ; redirects += 1) {
      const own = authorization !== null && url.origin === this.#base.origin;
      const headers = own ? { ...request.headers, authorization } : request.headers;
      const answer = await this.#http.send(url, { ...request, headers });
      const { statusCode = 0 } = answer;
      if (statusCode === 401 && url.origin !== this.#base.origin) {
        // Its challenge could lead the credentials to wherever it likes.
        answer.destroy();
        throw unreachable('the place that it redirects to asks for credentials');
      }
      if (![301, 302, 303, 307, 308].includes(statusCode)) return answer;
      answer.destroy();
      const { location = '' } = answer.headers;
      if (!URL.canParse(location, url.href) || redirects === maxRedirects) {
        throw unreachable('it redirects to nowhere');
      }
      const next = new URL(location, url);
      if (url.protocol === 'https:' && next.protocol !== 'https:') {
        throw unreachable('it redirects to an address without TLS');
      }
      url = next;
    }
  }
}
