import { Agent, request } from 'node:http';

/** Calls of the Brimble door over kept connections, whose bodies may be large. */
export interface BrimbleClient {
  /** An object is sent as JSON. Resolves with the whole answer unless `onData` takes it. */
  call(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: object | Buffer,
    onData?: (data: Buffer) => void,
  ): Promise<Buffer>;
  close(): void;
}

export function createBrimbleClient(address: string, key: string): BrimbleClient {
  const agent = new Agent({ keepAlive: true });
  return {
    call(method, path, body, onData) {
      const payload =
        body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
      const type = Buffer.isBuffer(body) ? 'application/octet-stream' : 'application/json';
      return new Promise((resolve, reject) => {
        const call = request(`${address}/brimble${path}`, {
          agent,
          method,
          headers: {
            'x-brimble-key': key,
            ...(payload === undefined
              ? {}
              : { 'content-type': type, 'content-length': payload.byteLength }),
          },
        });
        call.once('error', reject);
        call.once('response', (response) => {
          const { statusCode = 0 } = response;
          const chunks: Buffer[] = [];
          const keep = (data: Buffer) => void chunks.push(data);
          response.on('data', statusCode < 300 && onData !== undefined ? onData : keep);
          response.once('error', reject);
          response.once('end', () => {
            const answer = Buffer.concat(chunks);
            if (statusCode < 300) resolve(answer);
            else reject(new Error(`${method} ${path}: ${statusCode} ${answer}`));
          });
        });
        call.end(payload);
      });
    },
    close: () => agent.destroy(),
  };
}

/** Makes a sandbox as it is by default, and answers its id. */
export async function createSandbox(client: BrimbleClient): Promise<string> {
  return JSON.parse((await client.call('POST', '/sandboxes', {})).toString()).data.id;
}
