import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { listen } from './listen.ts';
import type { App } from './request-context.ts';

const status = (address: string, agent: Agent): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    get(address, { agent }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode));
    }).once('error', reject);
  });

describe('a server', () => {
  it.each([undefined, '', 'some text'])('hands a body over as it came: %j', async (body) => {
    const app: App = new Hono();
    app.all('/', async (context) => context.text(`read ${await context.req.text()}`));
    const { address, close } = await listen(app, { host: '127.0.0.1', port: 0, tls: null });
    const post = await fetch(address, { method: 'POST', ...(body === undefined ? {} : { body }) });
    expect(await post.text()).toBe(`read ${body ?? ''}`);
    expect(await (await fetch(address)).text()).toBe('read ');
    await close(1);
  });

  it('hands over a request that says nothing of a body, on one connection after another', async () => {
    const app: App = new Hono();
    app.all('/', async (context) => context.text(`read ${await context.req.text()}`));
    const { address, close } = await listen(app, { host: '127.0.0.1', port: 0, tls: null });
    const socket = connect(Number(new URL(address).port), '127.0.0.1');
    let received = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      received += text;
    });
    socket.write(
      'POST / HTTP/1.1\r\nHost: a\r\n\r\nPUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    );
    await once(socket, 'close');
    expect(received.match(/HTTP\/1.1 200/g)).toHaveLength(2);
    await close(1);
  });
});

describe('a server that stops', () => {
  it('lets a call in progress end, and refuses a new one on a connection that was kept', async () => {
    const app: App = new Hono();
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const entered = new Promise<void>((resolve) => {
      app.get('/slow', async (context) => {
        resolve();
        await finished;
        return context.text('done');
      });
    });
    app.get('/', (context) => context.text('hello'));
    const { address, close } = await listen(app, { host: '127.0.0.1', port: 0, tls: null });
    const kept = new Agent({ keepAlive: true, maxSockets: 1 });
    const slow = status(`${address}/slow`, kept);
    const next = status(`${address}/`, kept);
    await entered;
    const closed = close(10_000);
    finish();
    expect(await slow).toBe(200);
    await expect(next.catch(() => 'connection closed')).resolves.toSatisfy((answer) =>
      [503, 'connection closed'].includes(answer),
    );
    await closed;
    kept.destroy();
  });

  it('cuts what does not end in time', async () => {
    const app: App = new Hono();
    const entered = new Promise<void>((resolve) => {
      app.get('/', async () => {
        resolve();
        return await new Promise<Response>(() => undefined);
      });
    });
    const { address, close } = await listen(app, { host: '127.0.0.1', port: 0, tls: null });
    const agent = new Agent();
    const cut = status(`${address}/`, agent).catch(() => 'cut');
    await entered;
    await close(1);
    expect(await cut).toBe('cut');
  });
});
