import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

let test: TestApp;
/** May do everything in `team`. */
let owner: string;
const clients: Client[] = [];

const connect = async (key: string, mode: 'legacy' | { pin: string } = 'legacy') => {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  const transport = new StreamableHTTPClientTransport(new URL('http://127.0.0.1/mcp'), {
    requestInit: { headers: { authorization: `Bearer ${key}` } },
    fetch: async (url, init) => await test.app.request(String(url), init),
  });
  clients.push(client);
  await client.connect(transport);
  return client;
};

const write = async (sandbox: string, path: string, content: Buffer, key = owner) => {
  const client = await connect(key);
  const input = { sandbox, path, content: content.toString('base64'), encoding: 'base64' };
  const { isError } = await client.callTool({ name: 'sandbox_write_file', arguments: input });
  expect(isError).toBeUndefined();
};

const urisOf = ({ resources }: { resources: readonly { uri: string }[] }) =>
  resources.map(({ uri }) => uri);

beforeAll(async () => {
  test = await createTestApp(temporaryFolder(), { policy: { maxSandboxes: 20 } });
  owner = (await test.issue({ namespace: 'team' })).text;
  const stranger = (await test.issue({ namespace: 'victim' })).text;
  await test.call('sandbox.start', { sandbox: 'box' }, owner);
  await test.call('sandbox.start', { sandbox: 'job-1' }, owner);
  await test.call('sandbox.start', { sandbox: 'secret' }, stranger);
  await write('box', '/workspace/notes 100%?.txt', Buffer.from('häuser'));
  await write('box', '/workspace/bytes', Buffer.from([0xff, 0x00]));
  await write('box', '/workspace/dot.png', Buffer.from([0x89]));
  await write('box', '/workspace/large', Buffer.alloc(1_048_577, 'x'));
  await write('job-1', '/workspace/result', Buffer.from('done'));
  await write('secret', '/workspace/theirs', Buffer.from('theirs'), stranger);
});
afterAll(async () => {
  for (const client of clients) await client.close();
});

describe.each(['legacy', { pin: '2026-07-28' }] as const)('files as resources (%o)', (mode) => {
  it('are listed, and read as what they hold', async () => {
    const client = await connect(owner, mode);
    const uris = urisOf(await client.listResources());
    expect(uris).toContain('sandbox://box/workspace/');
    expect(uris).toContain('sandbox://job-1/workspace/result');
    expect(uris.filter((uri) => uri.includes('secret'))).toEqual([]);
    const notes = uris.find((uri) => uri.includes('notes')) ?? '';
    expect(notes).toBe('sandbox://box/workspace/notes%20100%25%3F.txt');
    for (const [uri, expected] of [
      [notes, { mimeType: 'text/plain', text: 'häuser' }],
      ['sandbox://box/workspace/bytes', { mimeType: 'application/octet-stream', blob: '/wA=' }],
      ['sandbox://box/workspace/dot.png', { mimeType: 'image/png', blob: 'iQ==' }],
      ['sandbox://box/workspace/bytes?namespace=team', { blob: '/wA=' }],
    ] as const) {
      expect((await client.readResource({ uri })).contents).toMatchObject([{ uri, ...expected }]);
    }
    const listed = await client.readResource({ uri: 'sandbox://job-1/workspace/' });
    const [{ text } = {}] = listed.contents as { text?: string }[];
    expect(JSON.parse(text ?? '').entries).toMatchObject([
      { uri: 'sandbox://job-1/workspace/result', kind: 'file', size: 4 },
    ]);
    const { resourceTemplates } = await client.listResourceTemplates();
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual([
      'sandbox://{sandbox}/{+path}{?namespace}',
    ]);
  });

  it('are refused with a reason where there are none, too many bytes, or no right', async () => {
    const client = await connect(owner, mode);
    for (const [uri, reason] of [
      ['sandbox://box/workspace/none', '/workspace/none does not exist'],
      ['sandbox://none/workspace/x', "Sandbox 'none' not found in namespace 'team'"],
      ['sandbox://secret/workspace/theirs', "Sandbox 'secret' not found in namespace 'team'"],
      [
        'sandbox://secret/workspace/theirs?namespace=victim',
        'This API key has no access to that namespace',
      ],
      ['sandbox://secret%3Fnamespace=victim/x', 'Sandbox name'],
      ['sandbox://box/workspace/large', 'The file has 1048577 bytes'],
      ['sandbox://box', 'uri: must be sandbox://'],
      ['sandbox://box/%zz', 'uri: must be sandbox://'],
      ['sandbox://box/x?namespace=team&namespace=victim', 'uri: must be sandbox://'],
      ['file:///etc/passwd', 'uri: must be sandbox://'],
    ] as const) {
      await expect(client.readResource({ uri }), uri).rejects.toThrow(reason);
    }
  });
});

/** The text of it, as it comes over the wire. */
async function answerTo(message: object, key: string): Promise<string> {
  const answer = await test.app.request('/mcp', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${key}`,
    },
    body: JSON.stringify(message),
  });
  return await answer.text();
}

it('are listed a page at a time', async () => {
  const { text } = await test.issue({ namespace: 'many' });
  for (let number = 0; number < 11; number += 1) {
    const { body } = await test.call('sandbox.start', { sandbox: `box-${number}` }, text);
    expect(body.error).toBeUndefined();
  }
  const client = await connect(text);
  const ask = async (cursor?: string) =>
    await client.request({ method: 'resources/list', params: cursor ? { cursor } : {} });
  const first = await ask();
  const second = await ask(first.nextCursor);
  expect([first.resources.length, second.resources.length]).toEqual([10, 1]);
  expect(new Set([...urisOf(first), ...urisOf(second)]).size).toBe(11);
  expect(second.nextCursor).toBeUndefined();
});

it('are those of a key: its sandboxes, its scopes and its tools', async () => {
  const held = await test.issue({
    namespace: 'team',
    restrictions: { sandboxNamePrefix: 'job-' },
  });
  const byPrefix = await connect(held.text);
  expect(urisOf(await byPrefix.listResources())).toEqual([
    'sandbox://job-1/workspace/',
    'sandbox://job-1/workspace/result',
  ]);
  await expect(byPrefix.readResource({ uri: 'sandbox://box/workspace/bytes' })).rejects.toThrow(
    "Sandbox 'box' not found in namespace 'team'",
  );
  const uri = 'sandbox://job-1/workspace/result';
  for (const [request, reason] of [
    [{ scopes: ['mcp:call', 'sandbox:read'] }, 'lacks the scope file:read'],
    [{ scopes: ['sandbox:read', 'file:read'] }, 'lacks the scope mcp:call'],
    [
      { restrictions: { mcpTools: ['sandgate/sandbox_run_*'] } },
      'may not call the tool sandgate/sandbox_read_file',
    ],
  ] as const) {
    const { text } = await test.issue({ namespace: 'team', ...(request as object) });
    const message = { jsonrpc: '2.0', id: 1, method: 'resources/read', params: { uri } };
    expect(await answerTo(message, text)).toContain(reason);
    if (reason.includes('mcp:call')) continue;
    const client = await connect(text);
    expect(await client.listResources()).toMatchObject({ resources: [] });
    expect(await client.listResourceTemplates()).toMatchObject({ resourceTemplates: [] });
  }
});

it('are read and written down as calls of the tools that do so', async () => {
  const { text, key } = await test.issue({ namespace: 'team' });
  const client = await connect(text);
  await client.readResource({ uri: 'sandbox://box/workspace/bytes' });
  await client.readResource({ uri: 'sandbox://box/workspace/' });
  await expect(client.readResource({ uri: 'sandbox://box/workspace/none' })).rejects.toThrow();
  const operator = (await test.issue()).text;
  const { body } = await test.api('GET', `/usage?key=${key.number}&size=100`, operator);
  const rows = (body.usage as { endpoint: string; status_code: number }[])
    .filter(({ endpoint }) => endpoint !== '/mcp')
    .map(({ endpoint, status_code }) => [endpoint, status_code]);
  expect(rows.toSorted()).toEqual([
    ['/mcp#sandbox_list_files', 200],
    ['/mcp#sandbox_read_file', 200],
    ['/mcp#sandbox_read_file', 404],
  ]);
});

it('are held for one request up to a bound, however many it asks for', async () => {
  await write('box', '/workspace/long.txt', Buffer.alloc(1_000_000, 'x'));
  const ask = async (method: string, params: object) => {
    const messages = Array.from({ length: 30 }, (_, id) => ({
      jsonrpc: '2.0',
      id,
      method,
      params,
    }));
    return await answerTo(messages, owner);
  };
  const input = { sandbox: 'box', path: '/workspace/long.txt' };
  for (const [method, params] of [
    ['resources/read', { uri: 'sandbox://box/workspace/long.txt' }],
    ['tools/call', { name: 'sandbox_read_file', arguments: input }],
  ] as const) {
    const text = await ask(method, params);
    expect(text.length, method).toBeLessThan(21 * 1024 * 1024);
    expect(text).toContain('hold as much as they may');
  }
});
