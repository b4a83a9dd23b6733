import { Agent, get } from 'node:http';
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
