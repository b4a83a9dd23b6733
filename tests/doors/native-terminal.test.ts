import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { revokeKey } from '@sandgate/core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type Listener, listen } from '../../packages/server/src/http/listen.ts';
import { storedState } from '../support/stored-state.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;
let listener: Listener;
let operator: string;
let key: string;
let boxes: readonly [string, string];

beforeAll(async () => {
  test = await createTestApp(folder);
  operator = (await test.issue()).text;
  key = (await test.issue({ namespace: 'team' })).text;
  const make = async () =>
    (await test.api('POST', '/sandboxes', key, { template: 'python' })).body.id;
  boxes = [await make(), await make()];
  listener = await listen(test.app, { host: '127.0.0.1', port: 0, tls: null });
});

afterAll(() => listener.close(0));
afterEach(() => {
  vi.useRealTimers();
});

const at = (id: string): string =>
  `${listener.address.replace('http', 'ws')}/api/v1/sandboxes/${id}/terminal`;

const withKey = (text: string) => ({ headers: { 'x-api-key': text } });

/** Resolves with the connection, or with the status and code of its refusal. */
async function open(
  id: string,
  { headers = {}, protocols = [] }: { headers?: Record<string, string>; protocols?: string[] },
): Promise<WebSocket | readonly [status: number | undefined, code: unknown]> {
  const socket = new WebSocket(at(id), protocols, { headers });
  socket.on('error', () => undefined);
  return await new Promise((resolve) => {
    socket.once('open', () => resolve(socket));
    socket.once('unexpected-response', (_, response: IncomingMessage) => {
      response.resume();
      resolve([response.statusCode, response.headers['x-error-code']]);
    });
  });
}

async function opened(...request: Parameters<typeof open>): Promise<WebSocket> {
  const socket = await open(...request);
  if (!(socket instanceof WebSocket)) throw new Error(`Refused: ${socket}`);
  return socket;
}

const heard = async (socket: WebSocket) => {
  const [data, isBinary] = (await once(socket, 'message')) as [Buffer, boolean];
  return isBinary ? data.toString() : JSON.parse(data.toString());
};

describe('a terminal', () => {
  it('takes bytes and shows bytes, obeys what is said as text, and says how it ended', async () => {
    const socket = await opened(boxes[0], withKey(key));
    socket.send(JSON.stringify({ type: 'resize', columns: 120, rows: 40 }));
    socket.send(Buffer.from('typed'));
    expect(await heard(socket)).toBe('typed');
    const closed = once(socket, 'close');
    socket.send(JSON.stringify({ type: 'signal', signal: 'SIGINT' }));
    expect(await heard(socket)).toEqual({ type: 'exit', status: 'exited', exit_code: 129 });
    expect((await closed)[0]).toBe(1_000);
  });

  it.each([
    ['what is not JSON', 'hello', 1_008, /sent as bytes/],
    ['an unknown message', '{"type":"fly"}', 1_008, /type/],
    ['a size that is none', '{"type":"resize","columns":0,"rows":40}', 1_008, /columns/],
    ['more than fits a message', Buffer.alloc(300_000), 1_009, null],
  ])('is closed on %s, with the reason', async (_, sent, code, detail) => {
    const socket = await opened(boxes[0], withKey(key));
    const closed = once(socket, 'close');
    socket.send(sent);
    if (detail !== null) {
      const told = {
        type: 'error',
        code: 'invalid_request',
        detail: expect.stringMatching(detail),
      };
      expect(await heard(socket)).toEqual(told);
    }
    expect((await closed)[0]).toBe(code);
  });

  it('is a WebSocket and nothing else', async () => {
    const plain = await test.api('GET', `/sandboxes/${boxes[0]}/terminal`, key);
    expect([plain.status, plain.body.detail]).toEqual([
      400,
      'This address is opened as a WebSocket',
    ]);
    const odd = await test.api('GET', `/sandboxes/${boxes[0]}/terminal?env={&rows=0`, key);
    expect(odd.body.detail).toMatch(/rows.*env: is not JSON/);
  });

  it('is lost by a key that is revoked', async () => {
    const issued = await test.issue({ namespace: 'team' });
    const socket = await opened(boxes[0], withKey(issued.text));
    test.timers.pass();
    socket.send('still');
    expect(await heard(socket)).toMatchObject({ type: 'error' });
    const second = await opened(boxes[0], withKey(issued.text));
    const closed = once(second, 'close');
    await revokeKey(test.keyDependencies, issued.key.id);
    await expect.poll(() => test.timers.delaysMs()).toContain(5_000);
    test.timers.pass();
    expect((await closed)[0]).toBe(1_001);
  });
});

describe('a ticket', () => {
  const issue = async (id: string, by = key, headers = {}): Promise<string> => {
    const { status, body } = await test.api(
      'POST',
      `/sandboxes/${id}/terminal-tickets`,
      by,
      undefined,
      headers,
    );
    expect(status).toBe(200);
    return body.ticket;
  };
  const withTicket = (ticket: string) => ({
    protocols: ['sandgate.terminal', `sandgate.ticket.${ticket}`],
  });
  const refused = [401, 'credential_invalid'];

  it('opens one terminal without a key, and is neither said back nor stored', async () => {
    const ticket = await issue(boxes[0]);
    const socket = await opened(boxes[0], withTicket(ticket));
    expect(socket.protocol).toBe('sandgate.terminal');
    socket.send(Buffer.from('typed'));
    expect(await heard(socket)).toBe('typed');
    const closed = once(socket, 'close');
    socket.close();
    await closed;
    expect(await open(boxes[0], withTicket(ticket))).toEqual(refused);
    expect(storedState(folder)).not.toContain(ticket);
  });

  it('is for one sandbox, in its workspace, and used up by any attempt', async () => {
    const ticket = await issue(boxes[0], operator, { 'x-workspace-id': 'team' });
    expect(await open(boxes[1], withTicket(ticket))).toEqual(refused);
    expect(await open(boxes[0], withTicket(ticket))).toEqual(refused);
    const next = await issue(boxes[0], operator, { 'x-workspace-id': 'team' });
    (await opened(boxes[0], withTicket(next))).terminate();
  });

  it('is worth what its key is worth when it is used, for half a minute', async () => {
    const issued = await test.issue({ namespace: 'team' });
    const late = await issue(boxes[0], issued.text);
    await revokeKey(test.keyDependencies, issued.key.id);
    expect(await open(boxes[0], withTicket(late))).toEqual(refused);
    const old = await issue(boxes[0]);
    test.clock.currentMs += 30_000;
    expect(await open(boxes[0], withTicket(old))).toEqual(refused);
    expect(await open(boxes[0], withTicket('nonsense'))).toEqual(refused);
  });

  it('comes without a key, and at this address alone', async () => {
    const both = { ...withTicket(await issue(boxes[0])), ...withKey(key) };
    expect(await open(boxes[0], both)).toEqual([400, 'credential_ambiguous']);
    const elsewhere = await test.api('GET', `/sandboxes/${boxes[0]}`, null, undefined, {
      'sec-websocket-protocol': `sandgate.ticket.${await issue(boxes[0])}`,
    });
    expect(elsewhere.status).toBe(401);
  });
});
