import { request } from 'node:http';

/** Milliseconds that `GET /api/v1/health` takes. */
export async function healthMs(address: string): Promise<number> {
  const startedAt = performance.now();
  await new Promise<void>((resolve, reject) => {
    const call = request(`${address}/api/v1/health`, { timeout: 10_000 }, (response) => {
      response.resume();
      response.once('end', () =>
        response.statusCode === 200 ? resolve() : reject(new Error(`${response.statusCode}`)),
      );
    });
    call.once('error', reject);
    call.end();
  });
  return performance.now() - startedAt;
}
