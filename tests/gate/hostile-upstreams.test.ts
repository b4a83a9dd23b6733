import { once } from 'node:events';
import { request as httpRequest, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Listener, listen } from '../../packages/server/src/http/listen.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { bearer, call, createGateUnderTest } from './gate-under-test.ts';
import { serveScripted, type Upstream } from './upstream-server.ts';

const folder = temporaryFolder();
type Gate = Awaited<ReturnType<typeof createGateUnderTest>>;
let gate: Gate;
/** Waits for no upstream: what does not hang must not be asked by it. */
let impatient: Gate;
let upstream: Upstream;
let listener: Listener;
let briefListener: Listener;
/** How the upstream answers next. */
let script: (response: ServerResponse, body: string) => void = () => undefined;

/** The names of hosts, as the name server of the test gives them. */
const addresses: Record<string, string[]> = { 'upstream.test': ['127.0.0.1'] };

beforeAll(async () => {
  const resolve = async (host: string) => addresses[host] ?? [];
  gate = await createGateUnderTest(folder, { upstreams: { resolve } });
  const brief = { answerMs: 300, silenceMs: 300 };
  impatient = await createGateUnderTest(folder, { upstreams: { resolve, ...brief } });
  upstream = await serveScripted((_, response, body) => script(response, body));
  const headers = { authorization: 'the-secret' };
  for (const each of [gate, impatient]) await each.register('hostile', upstream.url, { headers });
  listener = await listen(gate.test.app, { host: '127.0.0.1', port: 0, tls: null });
  briefListener = await listen(impatient.test.app, { host: '127.0.0.1', port: 0, tls: null });
});
afterAll(async () => {
  await listener.close(0);
  await briefListener.close(0);
  await gate.close();
  await impatient.close();
  await upstream.close();
});

const events = { 'content-type': 'text/event-stream' };
const json = { 'content-type': 'application/json' };
const ask = (name = 'hostile', by = gate) =>
  by.send(name, bearer(by.manager), { body: call('any', {}, 7) });

/** What a call of a tool that fails is told. */
const failure = async (name?: string, by?: Gate) => {
  const answer = await ask(name, by);
  const text = await answer.text();
  expect(text).not.toMatch(/the-secret|127\.0\.0\.1/);
  const body = JSON.parse(text.split('data: ').at(-1) ?? '');
  expect(body).toMatchObject({ jsonrpc: '2.0', id: 7, result: { isError: true } });
  return [body.result._meta['sandgate/error'], body.result.content[0].text];
};

it.each<[string, (response: ServerResponse) => void]>([
  ['at once', () => undefined],
  ['in an answer', (response) => response.writeHead(200, json).write('{')],
  ['in a stream', (response) => response.writeHead(200, events).write(': open\n\n')],
])('an upstream that hangs %s is not waited for', async (_, answer) => {
  script = answer;
  expect(await failure('hostile', impatient)).toEqual([
    'upstream_timed_out',
    expect.stringContaining('within 0.3 seconds'),
  ]);
});

it.each<[string, (response: ServerResponse) => void, string, RegExp]>([
  ['dies', (response) => response.socket?.destroy(), 'upstream_failed', /closed the connection/],
  [
    'dies in an answer',
    (response) => response.writeHead(200, json).write('{', () => response.destroy()),
    'upstream_failed',
    /connection/,
  ],
  [
    'dies in a stream',
    (response) => response.writeHead(200, events).write(': open\n\n', () => response.destroy()),
    'upstream_failed',
    /connection/,
  ],
  [
    'ends a stream without an answer',
    (response) =>
      response.writeHead(200, events).end('data: {"jsonrpc":"2.0","method":"notifications/x"}\n\n'),
    'upstream_failed',
    /without an answer/,
  ],
  [
    'speaks something else',
    (response) => response.socket?.end('SSH-2.0-OpenSSH_9.2\r\n'),
    'upstream_failed',
    /does not speak HTTP/,
  ],
  [
    'has a head without end',
    (response) => response.socket?.end(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`),
    'upstream_failed',
    /does not speak HTTP/,
  ],
  [
    'answers what is not JSON',
    (response) => response.writeHead(200, json).end('{"jsonrpc":'),
    'upstream_failed',
    /not JSON/,
  ],
  [
    'answers a number',
    (response) => response.writeHead(200, json).end('1'),
    'upstream_failed',
    /not JSON/,
  ],
  [
    'answers bytes that are no text',
    (response) => response.writeHead(200, json).end(Buffer.from([0x22, 0xff, 0x22])),
    'upstream_failed',
    /not JSON/,
  ],
  [
    'answers a page',
    (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<script>'),
    'upstream_failed',
    /neither JSON nor an event stream/,
  ],
  [
    'answers nothing',
    (response) => response.writeHead(202).end(),
    'upstream_failed',
    /neither JSON nor/,
  ],
  [
    'fails',
    (response) => response.writeHead(500, json).end('{"stack":"secrets"}'),
    'upstream_failed',
    /status 500/,
  ],
  [
    'wants another credential',
    (response) => response.writeHead(401).end(),
    'upstream_failed',
    /Set the headers/,
  ],
  [
    'answers compressed',
    (response) => response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end('{}'),
    'upstream_failed',
    /compressed/,
  ],
  [
    'has a session id that is none',
    (response) => response.writeHead(200, { ...json, 'mcp-session-id': 'a b' }).end('{}'),
    'upstream_failed',
    /session id/,
  ],
  [
    'redirects elsewhere',
    (response) => response.writeHead(307, { location: 'http://localhost:1/mcp' }).end(),
    'upstream_failed',
    /redirects elsewhere/,
  ],
  [
    'redirects to itself',
    (response) => response.writeHead(307, { location: '/mcp' }).end(),
    'upstream_failed',
    /redirects without end/,
  ],
  [
    'redirects by 302',
    (response) => response.writeHead(302, { location: '/mcp' }).end(),
    'upstream_failed',
    /redirects elsewhere/,
  ],
])('an upstream that %s is told of', async (_, answer, code, words) => {
  script = answer;
  const [given, text] = await failure();
  expect([given, text]).toEqual([code, expect.stringMatching(words)]);
});

it('follows a redirect on the same host, with the same message', async () => {
  let asked = 0;
  script = (response, body) => {
    asked += 1;
    if (asked === 1) response.writeHead(308, { location: '/mcp/' }).end();
    else response.writeHead(200, json).end(body);
  };
  expect(await (await ask()).json()).toEqual(call('any', {}, 7));
});

it('passes a refusal in the protocol’s form on, and of any other the status alone', async () => {
  const refusal = '{"jsonrpc":"2.0","id":7,"error":{"code":-32001,"message":"Session not found"}}';
  script = (response) => response.writeHead(404, json).end(refusal);
  const first = await ask();
  expect([first.status, await first.text()]).toEqual([404, refusal]);
  script = (response) => response.writeHead(404, { 'content-type': 'text/html' }).end('<script>');
  const second = await ask();
  expect([second.status, second.headers.get('content-type')]).toEqual([404, 'application/json']);
  expect(await second.json()).toMatchObject({ id: 7, error: { message: expect.any(String) } });
});

it('a host is judged at each connection, by all that its name leads to', async () => {
  script = (response, body) => response.writeHead(200, json).end(body);
  const { port } = new URL(upstream.url);
  await gate.register('named', `http://upstream.test:${port}/mcp`);
  expect((await ask('named')).status).toBe(200);
  const url = `https://moves.test:${port}/mcp`;
  addresses['moves.test'] = ['1.1.1.1'];
  await gate.register('moves', url);
  const seen = upstream.seen.length;
  for (const found of [
    ['127.0.0.1'],
    ['1.1.1.1', '127.0.0.1'],
    ['::ffff:127.0.0.1'],
    ['169.254.169.254'],
    [],
  ]) {
    addresses['moves.test'] = found;
    expect(await failure('moves')).toEqual(['upstream_failed', expect.stringContaining('refused')]);
  }
  expect(upstream.seen).toHaveLength(seen);
});

/** A call over a connection of its own. */
function open(body: unknown, at = listener, by = gate) {
  const sent = httpRequest(`${at.address}/mcp/servers/hostile`, {
    method: 'POST',
    headers: { ...bearer(by.manager), ...json, accept: 'application/json, text/event-stream' },
  });
  sent.on('error', () => undefined);
  sent.end(JSON.stringify(body));
  return sent;
}

it('a client that goes away in a stream, or before there is one, ends its request at the upstream', async () => {
  for (const begins of [true, false]) {
    const ended = new Promise<void>((resolve) => {
      script = (response) => {
        response.once('close', () => resolve());
        if (begins) response.writeHead(200, events).write('data: {}\n\n');
        else client.destroy();
      };
    });
    const client = open(call('any'));
    if (begins) {
      const [answer] = await once(client, 'response');
      await once(answer, 'data');
      client.destroy();
    }
    await ended;
  }
});

it('events arrive one by one, while the stream is open', async () => {
  let write: (text: string) => void = () => undefined;
  let end: () => void = () => undefined;
  script = (response) => {
    response.writeHead(200, events).flushHeaders();
    write = (text) => void response.write(text);
    end = () => void response.end();
  };
  const [answer] = await once(open(call('any', {}, 7)), 'response');
  for (const number of [1, 2, 3]) {
    write(`data: {"number":${number}}\n\n`);
    const [piece] = await once(answer, 'data');
    expect(String(piece)).toBe(`data: {"number":${number}}\n\n`);
  }
  write('data: {"jsonrpc":"2.0","id":7,"result":{}}\n\n');
  expect(String((await once(answer, 'data'))[0])).toContain('"result"');
  end();
  await once(answer, 'end');
});

it('a flood is held back as long as its reader is slow', async () => {
  let sent = 0;
  const piece = Buffer.from(`data: {"x":"${'y'.repeat(65_000)}"}\n\n`);
  const stalled = new Promise<Socket | null>((resolve) => {
    script = (response) => {
      response.writeHead(200, events);
      const flood = (): void => {
        while (sent < 400_000_000) {
          sent += piece.byteLength;
          if (!response.write(piece)) {
            response.once('drain', flood);
            return;
          }
        }
        resolve(response.socket);
      };
      flood();
      // Nothing takes any more of it, and so its silence is over in time.
      response.once('close', () => resolve(null));
    };
  });
  const client = open(call('any'), briefListener, impatient);
  const [answer] = await once(client, 'response');
  answer.pause();
  expect(await stalled).toBeNull();
  expect(sent).toBeLessThan(100_000_000);
  client.destroy();
});

it.each([
  [
    'whose key is revoked',
    async (text: string) => {
      const id = (await gate.test.api('GET', '/me', text)).body.api_key.id;
      expect((await gate.test.api('POST', `/api-keys/${id}/revoke`, gate.manager)).status).toBe(
        200,
      );
    },
  ],
  [
    'whose server is switched off',
    async () => {
      const off = await gate.test.api('PATCH', '/mcp-servers/hostile', gate.manager, {
        enabled: false,
      });
      expect(off.status).toBe(200);
    },
  ],
])('an open stream %s is cut', async (_, end) => {
  gate.test.clock.currentMs += 60_000;
  const { text } = await gate.issue();
  const ended = new Promise<void>((resolve) => {
    script = (response) => {
      response.once('close', () => resolve());
      response.writeHead(200, events).write(': open\n\n');
    };
  });
  const answer = await gate.send('hostile', bearer(text), { body: call('any', {}, 7) });
  await end(text);
  gate.test.timers.pass();
  await ended;
  expect(await answer.text()).toContain('"isError":true');
});
