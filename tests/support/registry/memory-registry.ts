import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { digestOf, type TestImage } from './test-image.ts';

export type Intercept = (request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * A registry that does as a test says: what is put is served as the protocol has it, unless `intercept`
 * answers. For what a real one would never do.
 */
export class MemoryRegistry {
  readonly requests: {
    readonly method: string;
    readonly url: string;
    readonly authorization: string | undefined;
  }[] = [];
  readonly #manifests = new Map<string, { readonly bytes: Buffer; readonly type: string }>();
  readonly #blobs = new Map<string, Buffer>();
  readonly #server: Server;
  intercept: Intercept = () => false;

  constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  /** `127.0.0.1` with its port. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  put(repository: string, tag: string, image: TestImage): void {
    for (const bytes of [image.config, ...image.layers.map((layer) => layer.bytes)]) {
      this.putBlob(repository, bytes);
    }
    this.putManifest(repository, tag, image.manifest, image.mediaType);
  }

  putBlob(repository: string, bytes: Buffer, digest = digestOf(bytes)): void {
    this.#blobs.set(`/v2/${repository}/blobs/${digest}`, bytes);
  }

  putManifest(repository: string, tag: string, bytes: Buffer, type: string): void {
    for (const version of [tag, digestOf(bytes)]) {
      this.#manifests.set(`/v2/${repository}/manifests/${version}`, { bytes, type });
    }
  }

  /** How often something was asked for by GET. */
  reads(bytes: Buffer): number {
    const digest = digestOf(bytes);
    return this.requests.filter(({ method, url }) => method === 'GET' && url.endsWith(digest))
      .length;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { method = '', url = '' } = request;
    this.requests.push({ method, url, authorization: request.headers.authorization });
    if (this.intercept(request, response)) return;
    const manifest = this.#manifests.get(url);
    const blob = this.#blobs.get(url);
    const bytes = manifest?.bytes ?? blob;
    if (bytes === undefined) {
      response.writeHead(404).end('{"errors":[]}');
      return;
    }
    const type = manifest?.type ?? 'application/octet-stream';
    const [, from = '0'] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
    const start = Number(from);
    const part = bytes.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, {
      'content-type': type,
      'content-length': part.length,
      ...(start > 0
        ? { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` }
        : {}),
    });
    response.end(method === 'HEAD' ? undefined : part);
  }
}
