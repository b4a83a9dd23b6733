import { Agent, request } from 'node:http';

/** JSON over one kept connection, as a client in a loop would have it. */
export interface KeepAliveClient {
  post(path: string, body: unknown): Promise<ReturnType<typeof JSON.parse>>;
  close(): void;
}

export function createKeepAliveClient(address: string, key: string): KeepAliveClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  return {
    post(path, body) {
      const text = JSON.stringify(body);
      return new Promise((resolve, reject) => {
        const call = request(`${address}${path}`, {
          agent,
          method: 'POST',
          headers: {
            authorization: `Bearer ${key}`,
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(text),
          },
        });
        call.once('error', reject);
        call.once('response', (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString('utf8'))));
        });
        call.end(text);
      });
    },
    close: () => agent.destroy(),
  };
}

/** A call of the microsandbox door that has to succeed. */
export async function callMethod(
  client: KeepAliveClient,
  method: string,
  params: Readonly<Record<string, unknown>>,
): Promise<ReturnType<typeof JSON.parse>> {
  const answer = await client.post('/api/v1/rpc', { jsonrpc: '2.0', id: 1, method, params });
  if (answer.result === undefined) throw new Error(`${method}: ${JSON.stringify(answer)}`);
  return answer.result;
}
