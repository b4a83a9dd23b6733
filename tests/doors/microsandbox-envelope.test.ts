import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;
let key: string;

beforeAll(async () => {
  test = await createTestApp(folder);
  key = (await test.issue()).text;
});

const start = { jsonrpc: '2.0', method: 'sandbox.start', params: { sandbox: 'env' }, id: '1' };

describe('the JSON-RPC envelope', () => {
  it('answers a call with its id, a result, and no trace of an error', async () => {
    for (const id of ['uuid', 7, 0, -1.5, '', null]) {
      const { status, text, body } = await test.post({ ...start, id }, key);
      expect(status).toBe(200);
      expect(body).toEqual({ jsonrpc: '2.0', id, result: 'Sandbox env started successfully' });
      expect(text).not.toContain('"error"');
    }
  });

  it('carries out a notification, and does not answer it', async () => {
    const { status, text } = await test.post(
      { jsonrpc: '2.0', method: 'sandbox.start', params: { sandbox: 'quiet' } },
      key,
    );
    expect([status, text]).toEqual([204, '']);
    expect(test.engine.started.at(-1)?.hostname).toBe('quiet');
  });

  it('does not answer a notification that fails or is refused either', async () => {
    const { text: reader } = await test.issue({ scopes: ['sandbox:read'] });
    const stop = (params: unknown, by: string) =>
      test.post({ jsonrpc: '2.0', method: 'sandbox.stop', params }, by);
    const answers = [
      await stop({ sandbox: 'no-such' }, key),
      await stop({ sandbox: 7 }, key),
      await stop({ sandbox: 'env' }, reader),
    ];
    expect(answers.map(({ status, text }) => [status, text])).toEqual([
      [204, ''],
      [400, ''],
      [403, ''],
    ]);
  });

  it('answers a batch call by call, in order, and leaves notifications out', async () => {
    const { status, body } = await test.post(
      [
        { ...start, id: 1 },
        { jsonrpc: '2.0', method: 'sandbox.stop', params: { sandbox: 'env' } },
        { jsonrpc: '2.0', method: 'sandbox.metrics.get', params: { sandbox: 'env' }, id: 2 },
        { jsonrpc: '2.0', method: 'no.such', id: 3 },
        17,
        { jsonrpc: '2.0', method: 'sandbox.start', params: {}, id: 4 },
      ],
      key,
    );
    expect(status).toBe(200);
    expect(body.map(({ id }: { id: unknown }) => id)).toEqual([1, 2, 3, null, 4]);
    expect(body[1].result.sandboxes[0].running).toBe(false);
    expect(body[2].error).toEqual({ code: -32601, message: 'Method not found: no.such' });
    expect(body[3].error.code).toBe(-32600);
    expect(body[4].error).toMatchObject({ code: -32602, data: { code: 'invalid_request' } });
  });

  it('answers a batch of notifications with nothing', async () => {
    const { status, text } = await test.post(
      [{ jsonrpc: '2.0', method: 'sandbox.metrics.get' }],
      key,
    );
    expect([status, text]).toEqual([204, '']);
  });

  it.each([
    ['{"jsonrpc":', 400, -32700],
    ['', 400, -32700],
    ['[]', 400, -32600],
    ['17', 400, -32600],
    ['null', 400, -32600],
    ['"x"', 400, -32600],
    ['{}', 400, -32600],
    ['{"jsonrpc":"1.0","method":"sandbox.start","id":1}', 400, -32600],
    ['{"jsonrpc":"2.0","method":7,"id":1}', 400, -32600],
    ['{"jsonrpc":"2.0","method":"x","id":{}}', 400, -32600],
    ['{"jsonrpc":"2.0","method":"x","id":1}', 404, -32601],
    ['{"jsonrpc":"2.0","method":"constructor","id":1}', 404, -32601],
    ['{"jsonrpc":"2.0","method":"__proto__","id":1}', 404, -32601],
  ])('answers %s with HTTP %i and JSON-RPC error %i', async (text, status, code) => {
    const response = await test.post(text, key);
    expect([response.status, response.body.error.code]).toEqual([status, code]);
  });

  it('refuses more than a hundred calls in one batch', async () => {
    const { status } = await test.post(Array(101).fill(start), key);
    expect(status).toBe(400);
  });

  it('takes bodies up to 2 MiB, and refuses longer ones unread', async () => {
    const padded = (length: number) => {
      const text = JSON.stringify(start);
      return text + ' '.repeat(length - text.length);
    };
    const limit = 2 * 1024 * 1024;
    expect((await test.post(padded(limit), key)).status).toBe(200);
    expect(await test.post(padded(limit + 1), key)).toMatchObject({
      status: 413,
      body: { code: 2007 },
    });
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', ''])(
    'refuses a body sent as "%s"',
    async (contentType) => {
      const response = await test.post(start, key, { 'content-type': contentType });
      expect(response).toMatchObject({ status: 415, body: { code: 2006 } });
    },
  );

  it('takes a charset behind the content type', async () => {
    const type = { 'content-type': 'Application/JSON; charset=utf-8' };
    expect((await test.post(start, key, type)).status).toBe(200);
  });

  it('refuses other methods and other addresses in the same shape', async () => {
    const got = await test.app.request('/api/v1/rpc');
    expect(got.status).toBe(405);
    expect(got.headers.get('allow')).toBe('POST');
    const lost = await test.app.request('/nowhere');
    expect([lost.status, await lost.json()]).toEqual([
      404,
      { error: 'There is nothing at this address', code: 4001 },
    ]);
  });

  it('says that it is healthy without a key', async () => {
    const response = await test.app.request('/api/v1/health');
    expect([response.status, await response.json()]).toEqual([
      200,
      { message: 'Service is healthy' },
    ]);
  });

  it('answers any JSON at all without a crash, and never with a null error', async () => {
    const methods = fc.constantFrom(
      'sandbox.start',
      'sandbox.stop',
      'sandbox.metrics.get',
      'sandbox.repl.run',
      'sandbox.command.run',
      'toString',
    );
    const call = fc.record(
      {
        jsonrpc: fc.oneof(fc.constant('2.0'), fc.jsonValue()),
        method: fc.oneof(methods, fc.jsonValue()),
        params: fc.oneof(
          fc.jsonValue(),
          fc.record({ sandbox: fc.jsonValue(), namespace: fc.jsonValue(), config: fc.jsonValue() }),
        ),
        id: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.jsonValue(), call, fc.array(call)), async (message) => {
        const { status, text, body } = await test.post(message, key);
        expect(status).toBeLessThan(500);
        expect(text).not.toContain('"error":null');
        if (status === 200 && !Array.isArray(body)) {
          expect('result' in body !== 'error' in body).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});
