import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it } from 'vitest';
import { sendWebhook } from './send-webhook.ts';
import { signatureHeader, signWebhook } from './sign-webhook.ts';
import { webhookPolicy } from './webhook-policy.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function listen(answer: RequestListener): Promise<number> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const send = (url: string, { allowed = ['hooks.internal'], timeoutMs = 5_000 } = {}) => {
  const body = '{"event":"alert.opened"}';
  return sendWebhook(
    { url, body, headers: { [signatureHeader]: signWebhook('whsec_a', body, 1_800_000_000_999) } },
    {
      policy: webhookPolicy({ allowedPrivateHosts: allowed }),
      resolve: async () => ['127.0.0.1'],
      timeoutMs,
    },
  );
};

it('posts the signed body to the address that the name was resolved to', async () => {
  let received: { request: IncomingMessage; body: string } | undefined;
  const port = await listen(async (request, response) => {
    received = { request, body: await text(request) };
    response.writeHead(204).end();
  });
  expect(await send(`http://hooks.internal:${port}/a?b=c`)).toBeNull();
  expect(received?.request).toMatchObject({ method: 'POST', url: '/a?b=c' });
  const headers = received?.request.headers;
  expect(headers).toMatchObject({
    host: `hooks.internal:${port}`,
    'content-type': 'application/json',
  });
  const mac = createHmac('sha256', 'whsec_a').update(`1800000000.${received?.body}`).digest('hex');
  expect(headers?.['x-sandgate-signature']).toBe(`t=1800000000,v1=${mac}`);
});

it('connects to nothing on loopback that the operator did not allow', async () => {
  let connections = 0;
  const port = await listen((_request, response) => response.end());
  servers[0]?.on('connection', () => {
    connections += 1;
  });
  for (const url of [
    `https://hooks.internal:${port}/`,
    `http://hooks.internal:${port}/`,
    `https://127.0.0.1:${port}/`,
    `https://localhost:${port}/`,
  ]) {
    expect(await send(url, { allowed: [] })).toMatch(/public Internet|over https/);
  }
  expect(connections).toBe(0);
});

it('does not follow a redirect', async () => {
  let calls = 0;
  const port = await listen((_request, response) => {
    calls += 1;
    response.writeHead(307, { location: '/elsewhere' }).end();
  });
  expect(await send(`http://hooks.internal:${port}/`)).toBe(
    'answered 307: redirects are not followed',
  );
  expect(calls).toBe(1);
});

it('takes every other answer for a failure, and says which', async () => {
  const port = await listen((_request, response) => response.writeHead(503).end('busy'));
  expect(await send(`http://hooks.internal:${port}/`)).toBe('answered 503');
});

it('gives up on a receiver that does not answer in time', async () => {
  const port = await listen(() => undefined);
  expect(await send(`http://hooks.internal:${port}/`, { timeoutMs: 100 })).toBe(
    'did not answer within 0.1 seconds',
  );
});

it('gives up on a name server that does not answer in time', async () => {
  const failed = await sendWebhook(
    { url: 'https://hooks.example.com/', body: '{}', headers: {} },
    {
      policy: webhookPolicy({ allowedPrivateHosts: [] }),
      resolve: () => new Promise(() => undefined),
      timeoutMs: 50,
    },
  );
  expect(failed).toBe('did not answer within 0.05 seconds');
});

it('reads nothing of an endless answer', async () => {
  const port = await listen((_request, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  });
  const closed = new Promise((resolve) => {
    servers[0]?.once('connection', (socket) => socket.once('close', resolve));
  });
  expect(await send(`http://hooks.internal:${port}/`)).toBeNull();
  await closed;
});

it('sends nothing in the clear to a receiver that does not speak TLS', async () => {
  const port = await listen((_request, response) => response.end());
  expect(await send(`https://hooks.internal:${port}/`)).toMatch(/^could not be reached: /);
});

it('says that nobody listens', async () => {
  const port = await listen(() => undefined);
  const [server] = servers.splice(0);
  server?.close();
  if (server !== undefined) await once(server, 'close');
  expect(await send(`http://hooks.internal:${port}/`)).toBe('could not be reached: ECONNREFUSED');
});
