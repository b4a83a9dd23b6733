import { once } from 'node:events';
import {
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { closers, endings, startProgram, startProxy, tell } from './port-proxy-in-test.ts';

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string;
}

async function send(address: string, { method, path = '/at/', headers, body }: Sent) {
  const call = httpRequest(`${address}${path}`, {
    method: method ?? 'GET',
    headers: headers ?? {},
  });
  call.end(body);
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, text: await text(response) };
}

describe('a request to a port', () => {
  it('arrives as it was sent, with any method and body', async () => {
    const { address } = await startProgram(tell);
    for (const method of ['GET', 'POST', 'PROPFIND', 'DELETE', 'OPTIONS', 'TRACE']) {
      const body = method === 'TRACE' ? '' : `${method} body`;
      const headers = { 'content-length': String(body.length), 'x-mine': 'kept' };
      const path = '/at/a%2Fb//c%20d?x=1&x=2&y=%26';
      const answer = JSON.parse((await send(address, { method, path, headers, body })).text);
      expect(answer).toMatchObject({ method, url: '/a%2Fb//c%20d?x=1&x=2&y=%26', body });
      expect(answer.rawHeaders).toEqual(expect.arrayContaining(['x-mine', 'kept']));
    }
  });

  it('brings no credential, no cookie and nothing that concerns one connection, and says who asks', async () => {
    const { address, port } = await startProgram(tell);
    const headers = {
      'x-api-key': 'secret',
      authorization: 'Bearer secret',
      'proxy-authorization': 'secret',
      'x-brimble-key': 'secret',
      'x-workspace-id': 'secret',
      cookie: 'session=secret',
      connection: 'keep-alive, x-hop',
      'x-hop': 'secret',
      te: 'trailers',
      forwarded: 'for=secret',
      'x-forwarded-for': 'secret',
      origin: address,
    };
    const shared = await send(address, { headers });
    expect(shared.text).not.toContain('secret');
    const own = await send(address, { path: '/own/', headers });
    expect(own.text.match(/secret/g)).toEqual(['secret']);
    const { rawHeaders } = JSON.parse(shared.text);
    const told = new Headers(
      Array.from({ length: rawHeaders.length / 2 }, (_, at) => [
        rawHeaders[2 * at],
        rawHeaders[2 * at + 1],
      ]),
    );
    expect(Object.fromEntries(told)).toEqual({
      host: `localhost:${port}`,
      origin: `http://localhost:${port}`,
      connection: 'close',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': new URL(address).host,
      'x-forwarded-proto': 'http',
      'x-forwarded-prefix': '/at',
    });
  });

  it('is one request for the program too, whatever it says of its length', async () => {
    const asked: unknown[] = [];
    const { address } = await startProgram((request, response) => {
      asked.push(request.url);
      response.end();
    });
    const hidden = 'GET /at/hidden HTTP/1.1\r\nHost: a\r\n\r\n';
    const heads = [
      'POST /at/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
      'POST /at/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n',
      'POST /at/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n',
      'GET /at/a\u0000b HTTP/1.1\r\nHost: a\r\n\r\n',
      'GET /at/ HTTP/1.1\r\nHost: a\r\nX-A: b\r c\r\n\r\n',
    ];
    for (const head of heads) {
      const socket = connect(Number(new URL(address).port), '127.0.0.1');
      socket.end(`${head}0\r\n\r\n${hidden}`);
      expect(await text(socket)).toMatch(/^HTTP\/1.1 400 /);
    }
    expect(asked).toEqual([]);
  });

  it('for another protocol is one like any other', async () => {
    const { address } = await startProgram(tell);
    const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c' };
    const { status, text: told } = await send(address, { headers, method: 'POST', body: 'all' });
    expect([status, JSON.parse(told).body]).toEqual([200, 'all']);
    expect(told).not.toContain('h2c');
  });
});

describe('an answer of a port', () => {
  const answer: RequestListener = (_, response) => {
    response.writeHead(302, {
      location: '/next?x=1',
      'set-cookie': ['a=1', 'b=2'],
      'strict-transport-security': 'max-age=1',
      'content-security-policy': "default-src 'self'",
      'x-mine': ['one', 'two'],
      'keep-alive': 'timeout=5',
    });
    response.end('moved');
  };

  it('touches nothing of an origin that it shares, and leads back to the port', async () => {
    const { address } = await startProgram(answer);
    const { status, headers, text: body } = await send(address, {});
    expect([status, body]).toEqual([302, 'moved']);
    expect(headers).toMatchObject({ location: '/at/next?x=1', 'x-mine': 'one, two' });
    expect(headers['content-security-policy']).toMatch(/^default-src 'self', sandbox /);
    expect(headers['content-security-policy']).not.toContain('same-origin');
    expect(Object.keys(headers)).not.toContain('set-cookie');
    expect(Object.keys(headers)).not.toContain('strict-transport-security');
  });

  it('is passed on as it is where the port has an origin of its own', async () => {
    const { address } = await startProgram(answer);
    const { headers } = await send(address, { path: '/own/' });
    expect(headers).toMatchObject({
      location: '/next?x=1',
      'set-cookie': ['a=1', 'b=2'],
      'strict-transport-security': 'max-age=1',
      'content-security-policy': "default-src 'self'",
    });
  });

  it('comes while the request is still being sent', async () => {
    const { address } = await startProgram((request, response) => void request.pipe(response));
    const call = httpRequest(`${address}/at/`, { method: 'POST' });
    call.write('first');
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    response.setEncoding('utf8');
    expect((await once(response, 'data'))[0]).toBe('first');
    call.end('second');
    expect(await text(response)).toBe('second');
  });

  it('is read no faster than the client takes it, and ended when the client goes', async () => {
    let written = 0;
    let closed: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const { address } = await startProgram((_, response) => {
      const piece = Buffer.alloc(1_000_000);
      const more = (): void => {
        while (!response.destroyed && written < 500 && response.write(piece)) written += 1;
        written += 1;
      };
      response.on('drain', more);
      response.once('close', () => closed());
      more();
    });
    const call = httpRequest(`${address}/at/`);
    call.end();
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    await once(response, 'readable');
    // Other work of the same server, in which all of it would have come.
    for (let round = 0; round < 20; round += 1) await send(address, { path: '/nothing' });
    expect(written).toBeLessThan(250);
    response.destroy();
    await gone;
    await expect.poll(() => endings).toEqual([200]);
  });

  it('has no body where HTTP has none, and its length all the same', async () => {
    const { address } = await startProgram((request, response) => {
      response.writeHead(request.url === '/none' ? 204 : 200, { 'content-length': '7' });
      response.end();
    });
    const head = await send(address, { method: 'HEAD' });
    expect([head.status, head.headers['content-length'], head.text]).toEqual([200, '7', '']);
    expect((await send(address, { path: '/at/none' })).status).toBe(204);
  });

  it('that is none is told as a failure, and one that breaks off is cut', async () => {
    const answers: Readonly<Record<string, string>> = {
      '/none': '',
      '/nonsense': 'SSH-2.0-OpenSSH\r\n',
      '/both':
        'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      '/unasked': 'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      '/number': 'HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n',
      '/short': 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort',
    };
    const program = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (data) => {
        const [, path = ''] = String(data).split(' ');
        socket.end(answers[path] ?? '');
      });
    });
    program.listen(0, '127.0.0.1');
    await once(program, 'listening');
    closers.push(() => program.close());
    const address = await startProxy((program.address() as AddressInfo).port);
    for (const path of ['/none', '/nonsense', '/both', '/unasked', '/number']) {
      const { status, text: body } = await send(address, { path: `/at${path}` });
      expect([path, status, body]).toEqual([path, 502, expect.stringContaining('on port')]);
    }
    expect(new Set(endings)).toEqual(new Set(['port_failed']));
    await expect(send(address, { path: '/at/short' })).rejects.toThrow('aborted');
  });

  it('is not waited for when the client has gone', async () => {
    let asked: (response: ServerResponse) => void = () => undefined;
    const asking = new Promise<ServerResponse>((resolve) => {
      asked = resolve;
    });
    const { address } = await startProgram((_, response) => asked(response));
    const call = httpRequest(`${address}/at/`);
    call.on('error', () => undefined);
    call.end();
    const response = await asking;
    const closed = once(response, 'close');
    call.destroy();
    await closed;
    await expect.poll(() => endings).toEqual(['request_abandoned']);
  });
});
