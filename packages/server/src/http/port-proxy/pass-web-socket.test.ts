import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { closers, endings, startProgram } from './port-proxy-in-test.ts';

describe('a WebSocket to a port', () => {
  async function startSockets() {
    const sockets = new WebSocketServer({ noServer: true });
    const { program, address, port } = await startProgram((_, response) => {
      response.writeHead(403).end('not here');
    });
    const heads: IncomingMessage[] = [];
    program.on('upgrade', (request, socket, head) => {
      heads.push(request);
      sockets.handleUpgrade(request, socket, head, (socket) => {
        socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
      });
    });
    return { address: address.replace('http', 'ws'), port, heads, sockets, program };
  }

  it('talks in both directions, in any sizes, until either end closes it', async () => {
    const { address, port, heads, sockets } = await startSockets();
    const socket = new WebSocket(`${address}/at/live?x=1`, ['spoken'], {
      headers: { 'x-api-key': 'secret', origin: address.replace('ws', 'http') },
    });
    await once(socket, 'open');
    expect(socket.protocol).toBe('spoken');
    const large = Buffer.alloc(3_000_000, 'x');
    for (const sent of [Buffer.from('hello'), large]) {
      socket.send(sent);
      const [received] = await once(socket, 'message');
      expect(sent.equals(received)).toBe(true);
    }
    expect(heads[0]?.url).toBe('/live?x=1');
    expect(heads[0]?.headers).toMatchObject({
      host: `localhost:${port}`,
      origin: `http://localhost:${port}`,
    });
    expect(heads[0]?.headers['x-api-key']).toBeUndefined();
    for (const each of sockets.clients) each.close(4_000, 'enough');
    const [code, reason] = await once(socket, 'close');
    expect([code, String(reason)]).toEqual([4_000, 'enough']);
    await expect.poll(() => endings).toEqual([101]);
  });

  it('sets no cookie of an origin that it shares', async () => {
    const { address, sockets } = await startSockets();
    sockets.on('headers', (lines) => lines.push('Set-Cookie: sandgate_csrf=1', 'X-Mine: kept'));
    const answered = async (path: string) => {
      const socket = new WebSocket(`${address}${path}`);
      const [[response]] = await Promise.all([once(socket, 'upgrade'), once(socket, 'open')]);
      socket.terminate();
      return [response.headers['x-mine'], response.headers['set-cookie']];
    };
    expect(await answered('/at/')).toEqual(['kept', undefined]);
    expect(await answered('/own/')).toEqual(['kept', ['sandgate_csrf=1']]);
  });

  it('ends for the program when the client breaks off', async () => {
    const { address, sockets } = await startSockets();
    const socket = new WebSocket(`${address}/at/`);
    await once(socket, 'open');
    const [inside] = sockets.clients;
    if (inside === undefined) throw new Error('Nobody is connected.');
    const closed = once(inside, 'close');
    socket.terminate();
    await closed;
    await expect.poll(() => endings).toEqual([101]);
  });

  it('is refused by the words of the program, and to pages of others by the server', async () => {
    const { address, heads, program } = await startSockets();
    const refusal = async (headers: Record<string, string>, path = '/at/') => {
      const socket = new WebSocket(`${address}${path}`, { headers });
      socket.on('error', () => undefined);
      const [, response] = (await once(socket, 'unexpected-response')) as [
        unknown,
        IncomingMessage,
      ];
      return [response.statusCode, await text(response)];
    };
    for (const origin of ['https://evil.example', 'null', `${address}.evil.example`]) {
      const [status, words] = await refusal({ origin: origin.replace('ws:', 'http:') });
      expect([origin, status, words]).toEqual([origin, 502, expect.stringContaining('pages')]);
    }
    expect(heads).toEqual([]);
    program.removeAllListeners('upgrade');
    expect(await refusal({})).toEqual([403, 'not here']);
  });

  it('that nobody ends is ended when the server stops', async () => {
    const { address } = await startSockets();
    const socket = new WebSocket(`${address}/at/`);
    await once(socket, 'open');
    const closed = once(socket, 'close');
    await closers.pop()?.();
    await closed;
  });
});
