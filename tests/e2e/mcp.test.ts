import { readFileSync } from 'node:fs';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callApi } from '../support/call-api.ts';
import { runInProcess } from '../support/run-in-process.ts';
import { msbPath, type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const home = temporaryFolder();
let server: ServerProcess;
/** May do everything in `mine`. */
let key: string;
let client: Client;
const clients: Client[] = [];

/** 1x1 pixel. */
const png =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const makeKey = async (body: object): Promise<{ text: string; id: number }> => {
  const made = await callApi(server.address, 'POST', '/api-keys', server.firstKey, {
    name: 'agent',
    workspace: 'mine',
    limits: { minute: 100_000, hour: 100_000, day: 100_000 },
    ...body,
  });
  expect(made.status, made.text).toBe(200);
  return { text: made.body.key, id: made.body.id };
};

const connect = async (
  headers: Record<string, string>,
  mode: 'legacy' | { pin: string } = 'legacy',
): Promise<Client> => {
  const made = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  const url = new URL(`${server.address}/mcp`);
  await made.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }));
  clients.push(made);
  return made;
};

const bearer = (text: string) => ({ authorization: `Bearer ${text}` });

/** The text of an answer, and whether it says that the call failed. */
const call = async (name: string, input: Record<string, unknown>, by = client) => {
  const { content, isError = false } = await by.callTool({ name, arguments: input });
  const first = content[0];
  return { text: first?.type === 'text' ? first.text : '', isError, content };
};

/** Sends a message as it is. */
const post = async (message: unknown, headers: Record<string, string>) => {
  const response = await fetch(`${server.address}/mcp`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: typeof message === 'string' ? message : JSON.stringify(message),
  });
  const text = await response.text();
  const json = /^data: (.*)$/m.exec(text)?.[1] ?? text;
  return { status: response.status, headers: response.headers, text, body: JSON.parse(json) };
};

const usageOf = async (id: number) => {
  const path = `/usage?key=${id}`;
  const { body, text } = await callApi(server.address, 'GET', path, server.firstKey);
  expect(Array.isArray(body.usage), text).toBe(true);
  return body.usage as { endpoint: string; status_code: number; error: string | null }[];
};

beforeAll(async () => {
  server = await startServerProcess({ home });
  // The workspace is made by the first call that names it.
  await server.rpc('sandbox.start', { sandbox: 'box', namespace: 'mine' });
  await server.rpc('sandbox.start', { sandbox: 'secret', namespace: 'victim' });
  key = (await makeKey({})).text;
  client = await connect(bearer(key));
}, 60_000);
afterAll(async () => {
  for (const each of clients) await each.close();
  await server.stop();
});

describe('the tools of /mcp', () => {
  it('are listed with the documented names, and take what their schemas say', async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      'sandbox_start',
      'sandbox_stop',
      'sandbox_run_code',
      'sandbox_run_command',
      'sandbox_get_metrics',
      'sandbox_list',
      'sandbox_read_file',
      'sandbox_write_file',
      'sandbox_list_files',
    ]);
    for (const { name, inputSchema } of tools) {
      // A field of the wrong type is named; one that is not known would be called so.
      const wrong = Object.fromEntries(
        Object.keys(inputSchema.properties ?? {}).map((property) => [property, 1.5]),
      );
      const { text, isError } = await call(name, { ...wrong, surplus: 1 });
      expect(isError).toBe(true);
      expect(text.match(/unknown field `\w+`/g)).toEqual(['unknown field `surplus`']);
      const nothing = await call(name, {});
      for (const required of inputSchema.required ?? []) {
        expect(nothing.text).toContain(`missing field \`${required}\``);
      }
    }
  });

  it('start, run code and commands, tell metrics, list, and stop', async () => {
    const config = { image: 'microsandbox/python', memory: 256, cpus: 1, envs: ['COLOUR=teal'] };
    expect((await call('sandbox_start', { sandbox: 'tools', config })).text).toBe(
      'Sandbox tools started successfully',
    );
    const run = (code: string) =>
      call('sandbox_run_code', { sandbox: 'tools', language: 'python', code });
    expect(JSON.parse((await run('x = 41')).text)).toEqual({
      status: 'success',
      language: 'python',
      output: [],
    });
    expect(JSON.parse((await run('print("hey"); x + 1')).text).output).toEqual([
      { stream: 'stdout', text: 'hey' },
      { stream: 'stdout', text: '42' },
    ]);
    expect(JSON.parse((await run('1 / 0')).text)).toMatchObject({ status: 'error' });
    const command = { sandbox: 'tools', command: 'sh', args: ['-c', 'echo $COLOUR; exit 3'] };
    expect(JSON.parse((await call('sandbox_run_command', command)).text)).toMatchObject({
      exit_code: 3,
      success: false,
      output: [{ stream: 'stdout', text: 'teal' }],
    });
    const metrics = JSON.parse((await call('sandbox_get_metrics', { sandbox: 'tools' })).text);
    expect(metrics.sandboxes).toMatchObject([{ namespace: 'mine', name: 'tools', running: true }]);
    const list = JSON.parse((await call('sandbox_list', {})).text);
    expect(list).toMatchObject({ namespace: 'mine', total: 2, next_after: null });
    expect(list.sandboxes.map(({ name }: { name: string }) => name)).toEqual(['tools', 'box']);
    expect((await call('sandbox_stop', { sandbox: 'tools' })).text).toBe(
      'Sandbox tools stopped successfully',
    );
  });

  it('show images of kernels and files as images', async () => {
    const code = `class Dot:\n  def _repr_png_(self):\n    import base64\n    return base64.b64decode("${png}")\ndisplay(Dot())\n7`;
    const shown = await call('sandbox_run_code', { sandbox: 'box', language: 'python', code });
    expect(shown.content.slice(1)).toEqual([{ type: 'image', data: png, mimeType: 'image/png' }]);
    expect(JSON.parse(shown.text).output).toEqual([{ stream: 'stdout', text: '7' }]);
    const file = { sandbox: 'box', path: '/workspace/deep/dot.png' };
    await call('sandbox_write_file', { ...file, content: png, encoding: 'base64' });
    const read = await call('sandbox_read_file', file);
    expect(read.content.slice(1)).toEqual([{ type: 'image', data: png, mimeType: 'image/png' }]);
  });

  it('write, read and list files', async () => {
    const file = { sandbox: 'box', path: '/workspace/notes.txt' };
    const written = await call('sandbox_write_file', { ...file, content: 'häuser\n' });
    expect(JSON.parse(written.text)).toEqual({ path: file.path, size: 8 });
    expect(JSON.parse((await call('sandbox_read_file', file)).text)).toEqual({
      path: file.path,
      size: 8,
      offset: 0,
      truncated: false,
      encoding: 'utf-8',
      content: 'häuser\n',
    });
    const tail = await call('sandbox_read_file', { ...file, offset: 3 });
    expect(JSON.parse(tail.text)).toMatchObject({ offset: 3, content: 'user\n' });
    const bytes = { sandbox: 'box', path: '/workspace/bytes', content: '/w==', encoding: 'base64' };
    await call('sandbox_write_file', bytes);
    const read = await call('sandbox_read_file', { sandbox: 'box', path: bytes.path });
    expect(JSON.parse(read.text)).toMatchObject({ encoding: 'base64', content: '/w==' });
    const list = await call('sandbox_list_files', { sandbox: 'box', path: '/workspace' });
    const entries = JSON.parse(list.text).entries as { path: string; kind: string }[];
    expect(entries).toContainEqual(
      expect.objectContaining({ path: file.path, kind: 'file', size: 8 }),
    );
    const { resources } = await client.listResources();
    const uris = resources.map(({ uri }) => uri);
    expect(uris).toContain('sandbox://box/workspace/notes.txt');
    const asResource = await client.readResource({ uri: 'sandbox://box/workspace/notes.txt' });
    expect(asResource.contents).toMatchObject([{ mimeType: 'text/plain', text: 'häuser\n' }]);
    const absent = await call('sandbox_read_file', { sandbox: 'box', path: '/workspace/none' });
    expect(absent).toMatchObject({ isError: true, text: expect.stringMatching(/^Error: .*none/) });
    const broken = await call('sandbox_write_file', { ...bytes, content: 'no base64!' });
    expect(broken).toMatchObject({ isError: true, text: 'Error: content: is not base64' });
  });

  it('tell of output while it is written, when they are asked to', async () => {
    const told: string[] = [];
    let firstBeforeEnd = false;
    let ended = false;
    const code = 'import time\nfor i in range(3):\n  print(i, flush=True)\n  time.sleep(0.2)';
    await client.callTool(
      { name: 'sandbox_run_code', arguments: { sandbox: 'box', language: 'python', code } },
      {
        onprogress: ({ message = '' }) => {
          told.push(message);
          firstBeforeEnd ||= !ended;
        },
      },
    );
    ended = true;
    expect(told.join('')).toBe('0\n1\n2\n');
    expect(told.length).toBeGreaterThan(1);
    expect(firstBeforeEnd).toBe(true);
  });

  it('say in their answer what failed, with what was written before', async () => {
    const code = 'print("so far", flush=True)\nwhile True: pass';
    const input = { sandbox: 'box', language: 'python', code, timeout: 1 };
    const { isError, text } = await call('sandbox_run_code', input);
    expect(isError).toBe(true);
    expect(text).toMatch(/^Error: Execution timed out after 1 seconds/);
    expect(text).toContain('so far');
    const missing = await call('sandbox_run_command', { sandbox: 'none', command: 'true' });
    expect(missing).toMatchObject({
      isError: true,
      text: "Error: Sandbox 'none' not found in namespace 'mine'",
    });
    await expect(call('no_such_tool', {})).rejects.toThrow('There is no tool "no_such_tool"');
  });

  it.each(['legacy', { pin: '2026-07-28' }] as const)(
    'end what they run when the client goes away (%o)',
    async (mode) => {
      const leaving = await connect(bearer(key), mode);
      const marker = `marker-${typeof mode}`;
      const args = ['-c', `echo here; sleep 60; echo ${marker}`];
      const running = leaving.callTool(
        { name: 'sandbox_run_command', arguments: { sandbox: 'box', command: 'sh', args } },
        { onprogress: () => void leaving.close() },
      );
      await expect(running).rejects.toThrow();
      const list = { sandbox: 'box', command: 'sh', args: ['-c', 'cat /proc/[0-9]*/cmdline'] };
      await expect
        .poll(async () => (await call('sandbox_run_command', list)).text.includes(marker), {
          timeout: 20_000,
        })
        .toBe(false);
    },
  );
});

describe('prompts of /mcp', () => {
  it('are the two documented ones', async () => {
    const { prompts } = await client.listPrompts();
    expect(
      prompts.map(({ name, arguments: names }) => [name, names?.map(({ name }) => name)]),
    ).toEqual([
      ['create_python_sandbox', ['sandbox_name', 'namespace']],
      ['create_node_sandbox', ['sandbox_name', 'namespace']],
    ]);
    const { messages } = await client.getPrompt({
      name: 'create_node_sandbox',
      arguments: { sandbox_name: 'try', namespace: 'mine' },
    });
    expect(messages).toMatchObject([
      {
        role: 'user',
        content: { type: 'text', text: expect.stringContaining('microsandbox/node') },
      },
    ]);
    await expect(client.getPrompt({ name: 'create_python_sandbox' })).rejects.toThrow(
      'sandbox_name',
    );
  });
});

describe('protocol revisions', () => {
  it('2026-07-28 is served without a handshake, with the same tools and progress', async () => {
    const modern = await connect(bearer(key), { pin: '2026-07-28' });
    expect(modern.getNegotiatedProtocolVersion()).toBe('2026-07-28');
    expect((await modern.listTools()).tools).toEqual((await client.listTools()).tools);
    const told: string[] = [];
    const { content } = await modern.callTool(
      {
        name: 'sandbox_run_command',
        arguments: { sandbox: 'box', command: 'echo', args: ['new'] },
      },
      { onprogress: ({ message = '' }) => told.push(message) },
    );
    expect([told.join(''), content]).toEqual([
      'new\n',
      [expect.objectContaining({ type: 'text' })],
    ]);
  });

  it.each(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'])(
    '%s is agreed to',
    async (revision) => {
      const params = {
        protocolVersion: revision,
        capabilities: {},
        clientInfo: { name: 't', version: '1' },
      };
      const { status, body } = await post(
        { jsonrpc: '2.0', id: 1, method: 'initialize', params },
        bearer(key),
      );
      expect([status, body.result.protocolVersion]).toEqual([200, revision]);
    },
  );
});

describe('msb mcp', () => {
  const connectByPipe = async (
    environment: Record<string, string>,
    mode: 'legacy' | 'auto' = 'legacy',
    options: readonly string[] = [],
  ): Promise<Client> => {
    const made = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
    clients.push(made);
    await made.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [msbPath, 'mcp', ...options],
        env: { HOME: home, MSB_SERVER_URL: server.address, ...environment },
        stderr: 'ignore',
      }),
    );
    return made;
  };

  it('has the same tools over standard input and output, with progress and cancelling', async () => {
    const piped = await connectByPipe({ MSB_API_KEY: key });
    expect((await piped.listTools()).tools).toEqual((await client.listTools()).tools);
    const { resources } = await piped.listResources();
    expect(resources.map(({ uri }) => uri)).toContain('sandbox://box/workspace/');
    const told: string[] = [];
    const args = ['-c', 'echo piped; exec sleep 61'];
    const leaving = new AbortController();
    const running = piped.callTool(
      { name: 'sandbox_run_command', arguments: { sandbox: 'box', command: 'sh', args } },
      {
        signal: leaving.signal,
        onprogress: ({ message = '' }) => {
          told.push(message);
          leaving.abort();
        },
      },
    );
    await expect(running).rejects.toThrow();
    expect(told).toEqual(['piped\n']);
    const list = { sandbox: 'box', command: 'sh', args: ['-c', 'cat /proc/[0-9]*/comm'] };
    await expect
      .poll(async () => (await call('sandbox_run_command', list, piped)).text.includes('sleep'), {
        timeout: 20_000,
      })
      .toBe(false);
    const refused = await call('sandbox_list', { namespace: 'victim' }, piped);
    expect(refused.text).toBe('Error: This API key has no access to that namespace');
  });

  it('speaks the newest revision with a client that does', async () => {
    const piped = await connectByPipe({ MSB_API_KEY: key }, 'auto');
    expect(piped.getNegotiatedProtocolVersion()).toBe('2026-07-28');
    expect(await call('sandbox_list', {}, piped)).toMatchObject({ isError: false });
  });

  it('says why there is no server, or that it wants a key', async () => {
    await expect(connectByPipe({})).rejects.toThrow('Set MSB_API_KEY');
    const absent = { MSB_SERVER_URL: 'http://127.0.0.1:1', MSB_API_KEY: key };
    await expect(connectByPipe(absent)).rejects.toThrow('Calling http://127.0.0.1:1 failed');
  });

  it('prints configurations that hold no key', async () => {
    for (const [name, where] of [
      ['claude-code', ['mcpServers', 'sandgate', 'url']],
      ['cursor', ['mcpServers', 'sandgate', 'url']],
      ['vscode', ['servers', 'sandgate', 'url']],
      ['claude-desktop', ['mcpServers', 'sandgate', 'env', 'MSB_SERVER_URL']],
    ] as const) {
      const environment = { MSB_SERVER_URL: server.address, MSB_API_KEY: key };
      const { stdout, stderr } = await runInProcess(['mcp', 'config', name], home, { environment });
      expect(stdout + stderr).not.toContain(key);
      const address = where.reduce((value, part) => value[part], JSON.parse(stdout));
      expect([server.address, `${server.address}/mcp`]).toContain(address);
    }
    expect((await runInProcess(['mcp', 'config', 'other'], home)).exitCode).toBe(2);
  });

  it('prints configurations for a server behind the gate, which hold no key either', async () => {
    const environment = { MSB_SERVER_URL: server.address, MSB_API_KEY: key };
    const print = async (client: string) => {
      const line = ['mcp', 'config', client, '--server', 'github'];
      const { stdout, stderr } = await runInProcess(line, home, { environment });
      expect(stdout + stderr).not.toContain(key);
      return JSON.parse(stdout);
    };
    const url = `${server.address}/mcp/servers/github`;
    expect((await print('claude-code')).mcpServers).toMatchObject({
      github: { type: 'http', url },
    });
    expect((await print('cursor')).mcpServers).toMatchObject({ github: { url } });
    expect((await print('vscode')).servers).toMatchObject({ github: { type: 'http', url } });
    expect((await print('claude-desktop')).mcpServers).toMatchObject({
      github: { args: ['mcp', '--server', 'github'], env: { MSB_SERVER_URL: server.address } },
    });
    await expect(
      connectByPipe({ MSB_API_KEY: key }, 'legacy', ['--server', 'nothing-here']),
    ).rejects.toThrow('MCP server not found');
  });
});

describe('who may call /mcp', () => {
  const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
  let metadata: string;

  beforeAll(() => {
    metadata = `${server.address}/.well-known/oauth-protected-resource/mcp`;
  });

  it('is anybody with a key, in any of three headers', async () => {
    for (const headers of [bearer(key), { 'x-api-key': key }, { 'x-brimble-key': key }]) {
      const by = await connect(headers);
      expect((await by.listTools()).tools).toHaveLength(9);
    }
  });

  it('is nobody without one, before the message is read', async () => {
    for (const headers of [{}, bearer(`msb_${'0'.repeat(48)}`), { 'x-api-key': 'nonsense' }]) {
      const { status, headers: told, body } = await post('{"not JSON', headers);
      const wrong = Object.keys(headers).length === 0 ? '' : 'error="invalid_token", ';
      expect([status, told.get('www-authenticate')]).toEqual([
        401,
        `Bearer ${wrong}resource_metadata="${metadata}", scope="mcp:call"`,
      ]);
      expect(body).toMatchObject({ jsonrpc: '2.0', id: null, error: { data: expect.any(Object) } });
    }
    const two = await post(list, { ...bearer(key), 'x-api-key': server.firstKey });
    expect([two.status, two.body.error.data.code]).toEqual([400, 'credential_ambiguous']);
  });

  it('is no web page of another origin', async () => {
    for (const origin of ['https://evil.example', 'null', 'http://localhost:1']) {
      const { status, body } = await post(list, { ...bearer(key), origin });
      expect([status, body.error.data.code]).toEqual([403, 'origin_refused']);
    }
    for (const origin of [server.address, 'vscode-file://vscode-app']) {
      expect((await post(list, { ...bearer(key), origin })).status).toBe(200);
    }
  });

  it('needs mcp:call, and for each tool its own scope', async () => {
    const without = await makeKey({ scopes: ['sandbox:read'] });
    const refused = await post(list, bearer(without.text));
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
      403,
      `Bearer error="insufficient_scope", resource_metadata="${metadata}", scope="mcp:call"`,
    ]);
    const toolCall = { name: 'sandbox_list', arguments: {} };
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: toolCall };
    const refusedCall = await post(message, bearer(without.text));
    expect(refusedCall.body.result).toMatchObject({
      isError: true,
      content: [{ text: 'Error: This API key lacks the scope mcp:call' }],
    });
    const reader = await connect(
      bearer((await makeKey({ scopes: ['mcp:call', 'sandbox:read'] })).text),
    );
    expect((await reader.listTools()).tools.map(({ name }) => name)).toEqual([
      'sandbox_get_metrics',
      'sandbox_list',
    ]);
    expect(await call('sandbox_list', {}, reader)).toMatchObject({ isError: false });
    expect(await call('sandbox_stop', { sandbox: 'box' }, reader)).toMatchObject({
      isError: true,
      text: 'Error: This API key lacks the scope sandbox:write',
    });
  });

  it('may be held to some of the tools, and to some sandboxes', async () => {
    const restrictions = { mcp_tools: ['sandgate/sandbox_run_*'], sandbox_name_prefix: 'job-' };
    const held = await makeKey({ restrictions });
    const by = await connect(bearer(held.text));
    expect((await by.listTools()).tools.map(({ name }) => name)).toEqual([
      'sandbox_run_code',
      'sandbox_run_command',
    ]);
    expect(await call('sandbox_list', {}, by)).toMatchObject({
      isError: true,
      text: 'Error: This API key may not call the tool sandgate/sandbox_list',
    });
    const beyond = { sandbox: 'box', command: 'true' };
    expect(await call('sandbox_run_command', beyond, by)).toMatchObject({
      isError: true,
      text: "Error: Sandbox 'box' not found in namespace 'mine'",
    });
  });

  it('works where its arguments say, whatever else a message says of a namespace', async () => {
    const input = { sandbox: 'secret', namespace: 'victim', command: 'true' };
    const attempts = [
      { name: 'sandbox_run_command', arguments: input, namespace: 'mine' },
      { name: 'sandbox_run_command', arguments: input, _meta: { namespace: 'mine' } },
      { name: 'sandbox_get_metrics', arguments: { namespace: 'victim' }, namespace: 'mine' },
      { name: 'sandbox_get_metrics', arguments: { namespace: '*' }, namespace: 'mine' },
      { name: 'sandbox_list', arguments: { namespace: 'victim' } },
      {
        name: 'sandbox_read_file',
        arguments: { sandbox: 'secret', namespace: 'victim', path: '/etc/passwd' },
      },
      {
        name: 'sandbox_start',
        arguments: { sandbox: 'more', namespace: 'victim' },
        namespace: 'mine',
      },
    ];
    for (const params of attempts) {
      const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
      const { body } = await post(message, { ...bearer(key), 'mcp-namespace': 'mine' });
      expect(body.result).toMatchObject({
        isError: true,
        content: [{ text: 'Error: This API key has no access to that namespace' }],
      });
    }
    // What is said beside the arguments is not used, in either direction.
    const params = { name: 'sandbox_list', arguments: {}, namespace: 'victim' };
    const { body } = await post(
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params },
      bearer(key),
    );
    expect(JSON.parse(body.result.content[0].text).namespace).toBe('mine');
  });

  it('gets an answer to whatever it sends', async () => {
    const answers = [
      ['{"not JSON', 400],
      ['[]', 400],
      [JSON.stringify('x'.repeat(5 * 1024 * 1024)), 413],
      [{ jsonrpc: '2.0', id: 1, method: 'tools/call', params: 7 }, 400],
      [{ jsonrpc: '2.0', id: 1, method: 'no/such' }, 200],
      [Array.from({ length: 101 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'ping' })), 400],
    ] as const;
    for (const [message, status] of answers) {
      const answer = await post(message, bearer(key));
      expect([answer.status, typeof answer.body.error.code]).toEqual([status, 'number']);
    }
  });
});

describe('what is written down of /mcp', () => {
  it('is a usage row and an audit entry for each call, done, failed or refused', async () => {
    const { text, id } = await makeKey({ scopes: ['mcp:call', 'sandbox:read', 'sandbox:exec'] });
    const by = await connect(bearer(text));
    await call('sandbox_run_command', { sandbox: 'box', command: 'true' }, by);
    await call('sandbox_run_command', { sandbox: 'none', command: 'true' }, by);
    await call('sandbox_stop', { sandbox: 'box' }, by);
    await call('sandbox_list', { surplus: 1 }, by);
    const rows = (await usageOf(id))
      .filter(({ endpoint }) => endpoint !== '/mcp')
      .map((row) => [row.endpoint, row.status_code, row.error]);
    expect(rows.sort()).toEqual([
      ['/mcp#sandbox_list', 400, 'invalid_request'],
      ['/mcp#sandbox_run_command', 200, null],
      ['/mcp#sandbox_run_command', 404, 'sandbox_not_found'],
      ['/mcp#sandbox_stop', 403, 'scope_missing'],
    ]);
    const { body } = await callApi(
      server.address,
      'GET',
      '/audit?action=mcp.call',
      server.firstKey,
    );
    const entries = (
      body.entries as { actor: { api_key_id: number }; target: string; outcome: string }[]
    )
      .filter(({ actor }) => actor.api_key_id === id)
      .map(({ target, outcome }) => [target, outcome]);
    expect(entries.sort()).toEqual([
      ['tool:sandgate/sandbox_list', 'failed'],
      ['tool:sandgate/sandbox_run_command', 'done'],
      ['tool:sandgate/sandbox_run_command', 'failed'],
    ]);
  });

  it('counts against the limits of a key, and a refusal says when to come again', async () => {
    const { text } = await makeKey({ limits: { minute: 2 } });
    const message = {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'sandbox_list' },
    };
    for (const expected of [undefined, undefined, true]) {
      const { body } = await post(message, bearer(text));
      expect(body.result.isError).toBe(expected);
      if (expected) expect(body.result.content[0].text).toMatch(/Error: Rate limit/);
    }
    const refused = await post({ ...message, method: 'tools/list' }, bearer(text));
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});

it('msb mcp servers puts the gate in front of a server, lists it, and takes it away', async () => {
  const environment = { MSB_SERVER_URL: server.address, MSB_API_KEY: key, THEIRS: 'Bearer x1y2z3' };
  const run = (...line: string[]) =>
    runInProcess(['mcp', 'servers', ...line], home, { environment });
  const url = 'https://mcp.example.com/mcp';
  const add = await run('add', 'notes', url, '--header', 'authorization=THEIRS');
  expect(add.stdout).toBe('Added. Clients call it at /mcp/servers/notes\n');
  expect((await run('add', 'others', url, '--header', 'a=NOT_THERE')).stderr).toContain(
    'NOT_THERE',
  );
  const list = await run('list');
  expect(list.stdout).toMatch(/notes +needed +on +https:\/\/mcp.example.com\/mcp/);
  expect(JSON.parse((await run('list', '--json')).stdout)).toMatchObject([
    { name: 'notes', header_names: ['authorization'] },
  ]);
  expect((await run('remove', 'notes')).exitCode).toBe(0);
  expect((await run('list')).stdout).toBe('No MCP servers found\n');
});

it('an MCP server that is a command runs in a sandbox behind the gate, as docs/mcp.md shows it', async () => {
  const page = readFileSync(new URL('../../docs/mcp.md', import.meta.url), 'utf8');
  const [, source = ''] = /```python\n(.*?)```/s.exec(page) ?? [];
  const words = ['mcp', 'servers', 'add', 'notes', '--template', 'python'];
  const environment = {
    MSB_SERVER_URL: server.address,
    MSB_API_KEY: key,
    NOTES_GREETING: 'hello',
  };
  const options = ['--env', 'GREETING=NOTES_GREETING', '--', 'python3', '-c', source];
  const added = await runInProcess([...words, ...options], home, { environment });
  expect([added.stdout, added.stderr]).toEqual([
    'Added. Clients call it at /mcp/servers/notes\n',
    '',
  ]);
  const url = new URL(`${server.address}/mcp/servers/notes`);
  const gated = new Client({ name: 'test', version: '1' });
  await gated.connect(
    new StreamableHTTPClientTransport(url, { requestInit: { headers: bearer(key) } }),
  );
  clients.push(gated);
  const answer = await gated.callTool({ name: 'greet', arguments: {} });
  expect(answer.content).toEqual([{ type: 'text', text: 'hello' }]);
});
