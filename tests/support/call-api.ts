import { request } from 'node:http';
import type { RpcResponse } from './server-process.ts';

/** One call of Sandgate's own door over a real socket. */
export async function callApi(
  address: string,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  key: string | null,
  body?: unknown,
): Promise<RpcResponse> {
  const text = body === undefined ? '' : JSON.stringify(body);
  return await new Promise((resolve, reject) => {
    const call = request(`${address}/api/v1${path}`, {
      method,
      agent: false,
      headers: {
        ...(key === null ? {} : { 'x-api-key': key }),
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      },
    });
    call.once('error', reject);
    call.once('response', (response) => {
      let received = '';
      response.setEncoding('utf8');
      response.on('data', (data: string) => {
        received += data;
      });
      response.once('error', reject);
      response.once('end', () => {
        const isJson = response.headers['content-type']?.startsWith('application/json') ?? false;
        try {
          const parsed = isJson ? JSON.parse(received) : null;
          resolve({ status: response.statusCode ?? 0, text: received, body: parsed });
        } catch (error) {
          reject(error);
        }
      });
    });
    call.end(text);
  });
}
