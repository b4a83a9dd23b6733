import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { EgressPolicy } from '@sandgate/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EgressGate } from './egress-gate.ts';
import { EgressProxy } from './egress-proxy.ts';

/** What an origin server on this machine's loopback heard, byte by byte, of each connection. */
let heard: string[] = [];
let respond: (socket: Socket) => void = () => {};
const origins = new Set<Socket>();
const clients = new Set<Socket>();
const proxy = new EgressProxy(400);
let gate: EgressGate;
let origin: Server;
let listener: Server;

const portOf = (server: Server): number => (server.address() as AddressInfo).port;
const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

function createGate(policy: EgressPolicy): EgressGate {
  return new EgressGate({
    sandboxId: 'a'.repeat(24),
    policy,
    rules: { allowedPrivateRanges: ['127.0.0.0/8'], refusedPorts: [] },
    resolve: async () => ['127.0.0.1'],
    clock: { nowMs: () => 0 },
  });
}

beforeAll(async () => {
  origin = createServer((socket) => {
    const at = heard.push('') - 1;
    origins.add(socket);
    socket.on('error', () => {});
    socket.on('data', (data) => {
      heard[at] += data.toString('latin1');
    });
    respond(socket);
  }).listen(0, '127.0.0.1');
  listener = createServer((socket) => proxy.accept(socket, gate)).listen(0, '127.0.0.1');
  await Promise.all([once(origin, 'listening'), once(listener, 'listening')]);
});

beforeEach(() => {
  heard = [];
  respond = (socket) => void socket.once('data', () => socket.write(answer));
  gate = createGate({ mode: 'open' });
});

afterAll(() => {
  for (const socket of [...origins, ...clients]) socket.destroy();
  origin.close();
  listener.close();
});

function dial(): Socket {
  const socket = connect({ port: portOf(listener), host: '127.0.0.1', allowHalfOpen: true });
  clients.add(socket);
  socket.on('error', () => {});
  return socket;
}

/** Resolves when the other side has ended or broken off the connection. */
function over(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.once('end', resolve).once('close', resolve).resume());
}

/** Everything that comes back until the proxy closes. */
async function exchange(...pieces: readonly (string | Buffer)[]): Promise<string> {
  const socket = dial();
  let text = '';
  socket.on('data', (data) => {
    text += data.toString('latin1');
  });
  const ended = over(socket);
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await ended;
  socket.destroy();
  return text;
}

const lines = (...words: readonly string[]): string => `${words.join('\r\n')}\r\n\r\n`;
const target = (path = '/'): string => `http://web.example:${portOf(origin)}${path}`;

describe('the HTTP side', () => {
  it('passes on what is meant for the server, and nothing that is meant for the proxy', async () => {
    respond = (socket) => {
      const head = ['HTTP/1.1 201 Made', 'Connection: x-hop', 'X-Hop: 1', 'X-End: 2'];
      socket.once('data', () => socket.write(`${lines(...head, 'Content-Length: 2')}ok`));
    };
    const text = await exchange(
      lines(
        `GET ${target('/a?b')} HTTP/1.1`,
        ...[
          'Host: other.example',
          'Proxy-Authorization: Basic c2VjcmV0',
          'Proxy-Connection: keep-alive',
        ],
        ...[
          'Connection: keep-alive, X-Mine',
          'X-Mine: 1',
          'Upgrade: h2c',
          'Cookie: a=b',
          'TE: trailers',
        ],
      ),
    );
    const host = `host: web.example:${portOf(origin)}`;
    expect(heard).toEqual([lines('GET /a?b HTTP/1.1', host, 'Cookie: a=b', 'connection: close')]);
    expect(text).toBe(
      `${lines('HTTP/1.1 201 Made', 'X-End: 2', 'Content-Length: 2', 'connection: close')}ok`,
    );
  });

  it('passes bodies on, in one piece or in many, and says that there is none', async () => {
    const post = (...head: string[]): string =>
      lines(`POST ${target()} HTTP/1.1`, 'Host: a', ...head);
    await exchange(`${post('Content-Length: 3')}abc`);
    await exchange(post('Transfer-Encoding: chunked'), '3\r\nabc\r\n', '0\r\n\r\n');
    await exchange(post());
    expect(heard[0]).toMatch(/\r\nContent-Length: 3\r\nconnection: close\r\n\r\nabc$/);
    expect(heard[1]).toMatch(
      /\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n3\r\nabc\r\n/,
    );
    expect(heard[2]).toMatch(/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n$/);
  });

  it.each([
    [
      'two lengths',
      ['Content-Length: 3', 'Transfer-Encoding: chunked'],
      '0\r\n\r\nGET http://x/ HTTP/1.1\r\n\r\n',
    ],
    ['a strange encoding', ['Transfer-Encoding: chunked, identity'], '0\r\n\r\n'],
    ['a folded header', ['X-A: 1', ' Content-Length: 5'], 'abcde'],
    ['a bare line feed', ['X-A: 1\nContent-Length: 5'], 'abcde'],
    ['a name with a blank', ['Content-Length : 5'], 'abcde'],
    ['a head without end', ['X-A: '.padEnd(20_000, 'a')], ''],
  ])('refuses a request with %s, and passes nothing of it on', async (_, head, body) => {
    const text = await exchange(lines(`POST ${target()} HTTP/1.1`, 'Host: a', ...head) + body);
    expect(text).toMatch(/^HTTP\/1\.1 4(00|31) /);
    expect(heard.join('')).not.toContain('GET');
    expect(heard.filter((each) => each !== '')).toEqual([]);
  });

  it('takes one request a connection, whatever follows it', async () => {
    const request = lines(`GET ${target('/1')} HTTP/1.1`, 'Host: a');
    const text = await exchange(request + request.replace('/1', '/2'));
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(heard).toHaveLength(1);
  });

  it.each([
    ['GET / HTTP/1.1', /^HTTP\/1\.1 400 .*This is the proxy/s],
    ['GET https://web.example/ HTTP/1.1', /^HTTP\/1\.1 400 /],
    ['GET ftp://web.example/ HTTP/1.1', /^HTTP\/1\.1 400 /],
    ['CONNECT web.example HTTP/1.1', /^HTTP\/1\.1 400 .*CONNECT takes a host and a port/s],
    ['CONNECT web.example:0 HTTP/1.1', /^HTTP\/1\.1 400 /],
    ['CONNECT web.example:99999 HTTP/1.1', /^HTTP\/1\.1 400 /],
    ['CONNECT [fe80::1%25lo]:80 HTTP/1.1', /^HTTP\/1\.1 400 /],
    ['CONNECT 127.0.0.1:1 HTTP/1.1', /^HTTP\/1\.1 502 Host not reached.*ECONNREFUSED/s],
    ['CONNECT 10.0.0.1:80 HTTP/1.1', /^HTTP\/1\.1 403 Refused by the egress policy\r\n/],
  ])('answers %s with what is wrong', async (line, expected) => {
    expect(await exchange(lines(line, 'Host: a'))).toMatch(expected);
    expect(heard).toEqual([]);
  });

  it('survives servers that answer early, break off or talk nonsense, and lets nobody take half an answer for a whole', async () => {
    const head = lines(`POST ${target()} HTTP/1.1`, 'Host: a', 'Content-Length: 3000000');
    respond = (socket) => void socket.once('data', () => socket.end(answer));
    await exchange(head, 'a'.repeat(1_000_000), 'b'.repeat(1_000_000));
    respond = (socket) => void socket.once('data', () => socket.destroy());
    expect(await exchange(lines(`GET ${target()} HTTP/1.1`, 'Host: a'))).toContain('502');
    respond = (socket) => void socket.once('data', () => socket.write('SSH-2.0-x\r\n\r\n'));
    expect(await exchange(lines(`GET ${target()} HTTP/1.1`, 'Host: a'))).toContain('502');
    respond = (socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf', () =>
          socket.resetAndDestroy(),
        );
      });
    };
    const socket = dial();
    const broken = new Promise((resolve) => socket.once('close', resolve));
    socket.resume();
    socket.write(lines(`GET ${target()} HTTP/1.1`, 'Host: a'));
    expect(await broken).toBe(true);
  });
});

describe('the SOCKS side', () => {
  const greeting = Buffer.from([5, 1, 0]);
  const request = (address: readonly number[], command = 1, port = portOf(origin)): Buffer =>
    Buffer.from([5, command, 0, ...address, port >> 8, port & 0xff]);
  const ipv4 = [1, 127, 0, 0, 1];
  const named = (name: string): number[] => [3, name.length, ...Buffer.from(name, 'latin1')];
  const said = async (...pieces: Buffer[]): Promise<number[]> => [
    ...Buffer.from(await exchange(...pieces), 'latin1'),
  ];
  const refused = (code: number): number[] => [5, 0, 5, code, 0, 1, 0, 0, 0, 0, 0, 0];

  it('opens a tunnel by address and by name, with all at once or byte by byte', async () => {
    respond = (socket) => void socket.once('data', (data) => socket.end(`heard ${data}`));
    for (const address of [ipv4, named('web.example')]) {
      const all = Buffer.concat([greeting, request(address), Buffer.from('hi')]);
      for (const pieces of [
        [all],
        [...all.subarray(0, -2)].map((byte) => Buffer.from([byte])).concat(Buffer.from('hi')),
      ]) {
        const text = await exchange(...pieces);
        expect(text.slice(0, 12)).toBe(Buffer.from(refused(0)).toString('latin1'));
        expect(text.slice(12)).toBe('heard hi');
      }
    }
  });

  it.each([
    ['an address that is not public', [1, 10, 0, 0, 1], 1, 2],
    ['the same in IPv6', [4, ...Array(10).fill(0), 255, 255, 10, 0, 0, 1], 1, 2],
    ['a name that is none', named('a b'), 1, 1],
    ['the command BIND', ipv4, 2, 7],
    ['the command UDP ASSOCIATE', ipv4, 3, 7],
  ])('refuses %s', async (_, address, command, code) => {
    expect(await said(greeting, request(address, command))).toEqual(refused(code));
    expect(heard).toEqual([]);
  });

  it('refuses a client that insists on a password, and closes on what is not SOCKS', async () => {
    expect(await said(Buffer.from([5, 1, 2]))).toEqual([5, 0xff]);
    expect((await said(greeting, Buffer.from([4, 1, 0, 1, 0, 0]))).slice(0, 2)).toEqual([5, 0]);
    expect((await said(greeting, Buffer.from([5, 1, 0, 9, 0, 0]))).slice(0, 2)).toEqual([5, 0]);
    expect(heard).toEqual([]);
  });
});

describe('a connection', () => {
  const tunnel = async (): Promise<Socket> => {
    const socket = dial();
    socket.write(lines(`CONNECT 127.0.0.1:${portOf(origin)} HTTP/1.1`, 'Host: a'));
    expect(String((await once(socket, 'data'))[0])).toContain('200 Connection established');
    return socket;
  };

  it('is read no faster than the other side takes it', async () => {
    let sent = 0;
    const stuck = Promise.withResolvers<void>();
    respond = (socket) => {
      const more = (): void => {
        while (socket.write(Buffer.alloc(1_048_576))) sent += 1;
        sent += 1;
        if (sent > 64) stuck.resolve();
      };
      socket.on('drain', more);
      socket.once('data', more);
    };
    const socket = await tunnel();
    socket.pause();
    socket.write('go');
    // What fits the buffers of three connections flows; 64 MiB must not.
    await Promise.race([stuck.promise, new Promise((resolve) => setTimeout(resolve, 500))]);
    expect(sent).toBeLessThan(64);
    socket.destroy();
  });

  it('is one of 256 of its sandbox, which leaves some to others, and of as many as the server has', async () => {
    const held = await Promise.all(Array.from({ length: 256 }, () => tunnel()));
    await over(dial());
    gate = createGate({ mode: 'open' });
    const others = await Promise.all(Array.from({ length: 400 - 256 }, () => tunnel()));
    gate = createGate({ mode: 'open' });
    await over(dial());
    for (const each of [...held, ...others]) each.destroy();
    const open = (): Promise<number> =>
      new Promise((resolve) => listener.getConnections((_, count) => resolve(count)));
    await expect.poll(open, { timeout: 20_000 }).toBe(0);
  });

  it('is counted in bytes of both directions, also when it has ended', async () => {
    respond = (socket) => void socket.once('data', () => socket.end('12345'));
    const socket = await tunnel();
    socket.end('1234567');
    await over(socket);
    await expect.poll(() => gate.traffic()).toEqual({ receivedBytes: 5, sentBytes: 7 });
  });
});
