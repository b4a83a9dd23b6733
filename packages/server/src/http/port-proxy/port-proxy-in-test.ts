import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { SandgateError } from '@sandgate/core';
import { Hono } from 'hono';
import { afterEach } from 'vitest';
import { listen } from '../listen.ts';
import { refuseForeignUpgrades } from '../refuse-foreign-upgrades.ts';
import { type App, incomingOf, peerAddress } from '../request-context.ts';
import { clientRequest } from './client-request.ts';
import { passToPort } from './pass-to-port.ts';

/** What is closed after each test, the newest first. */
export const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** What `passToPort` threw, or the status with which it ended, call by call. */
export let endings: (number | string)[] = [];

/** A server that passes everything under `/at` to a port, and what is at `/own` as if it had a host name. */
export async function startProxy(port: number): Promise<string> {
  endings = [];
  const app: App = new Hono();
  app.use(refuseForeignUpgrades);
  app.all('/:where{at|own}/*', async (context) => {
    const { pathname, search } = new URL(context.req.url);
    const where = `/${context.req.param('where')}`;
    const client = clientRequest(context.req.raw, incomingOf(context), peerAddress(context));
    const dial = async (): Promise<Socket> => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      return socket;
    };
    const path = pathname.slice(where.length) + search;
    const prefix = where === '/at' ? where : '';
    return await new Promise<Response>((resolve, reject) => {
      passToPort({ port, dial, path, prefix }, client, resolve).then(
        (status) => {
          endings.push(status);
          resolve(new Response(null));
        },
        (error: unknown) => {
          endings.push(error instanceof SandgateError ? error.code : String(error));
          reject(error);
        },
      );
    });
  });
  app.onError((error) => new Response(error.message, { status: 502 }));
  const listener = await listen(app, { host: '127.0.0.1', port: 0, tls: null });
  closers.push(() => listener.close(0));
  return listener.address;
}

export async function startProgram(answer: RequestListener) {
  const program = createServer(answer);
  program.listen(0, '127.0.0.1');
  await once(program, 'listening');
  closers.push(() => {
    program.closeAllConnections();
    program.close();
  });
  const { port } = program.address() as AddressInfo;
  return { program, port, address: await startProxy(port) };
}

/** A program that says what it was asked. */
export const tell: RequestListener = async (request, response) => {
  const { method, url, rawHeaders } = request;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ method, url, rawHeaders, body: await text(request) }));
};
