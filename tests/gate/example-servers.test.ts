import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client as EarlierClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { bearer, createGateUnderTest } from './gate-under-test.ts';

/** Servers that the SDK of the protocol project brings as examples, in processes of their own. */
const examples = join(
  dirname(fileURLToPath(import.meta.resolve('@modelcontextprotocol/sdk/server'))),
  '../examples/server',
);
const folder = temporaryFolder();
const running: ChildProcess[] = [];
let gate: Awaited<ReturnType<typeof createGateUnderTest>>;

beforeAll(async () => {
  gate = await createGateUnderTest(folder);
  await gate.register('sessions', await startExample('simpleStreamableHttp.js'));
  await gate.register('stateless', await startExample('honoWebStandardStreamableHttp.js'));
});

afterAll(async () => {
  await gate.close();
  for (const child of running) {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
});

/** @returns its address */
async function startExample(file: string): Promise<string> {
  const port = String(await freePort());
  const child = spawn(process.execPath, [join(examples, file)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, MCP_PORT: port },
  });
  running.push(child);
  const address = `http://127.0.0.1:${port}/mcp`;
  for await (const line of createInterface(child.stdout)) if (line.includes(port)) break;
  child.stdout.resume();
  return address;
}

/** They do not tell which port they got, so they are given one. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('There is no port.');
  return address.port;
}

async function connectEarlier(name: string, key: string) {
  const client = new EarlierClient({ name: 'test', version: '1' });
  const transport = new StreamableHTTPClientTransport(
    new URL(`http://127.0.0.1/mcp/servers/${name}`),
    {
      requestInit: { headers: bearer(key) },
      fetch: async (url, init) => await gate.test.app.request(String(url), init),
    },
  );
  await client.connect(transport);
  return { client, transport };
}

const greeting = { name: 'greet', arguments: { name: 'Ada' } };

it('an example with sessions serves tools, prompts and resources through the gate', async () => {
  const { text, key } = await gate.issue();
  const client = await gate.connect('sessions', bearer(text));
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toContain('multi-greet');
  expect((await client.callTool(greeting)).content).toEqual([
    { type: 'text', text: 'Hello, Ada!' },
  ]);
  const prompt = await client.getPrompt({ name: 'greeting-template', arguments: { name: 'Ada' } });
  expect(prompt.messages[0]?.content).toMatchObject({
    text: 'Please greet Ada in a friendly manner.',
  });
  const { resources } = await client.listResources();
  const [first] = resources;
  expect((await client.readResource({ uri: first?.uri ?? '' })).contents).toHaveLength(1);
  const endpoints = (await gate.usageOf(key.number)).map(({ endpoint }) => endpoint);
  expect(endpoints).toContain('/mcp/servers/sessions#greet');
});

it('an example without sessions answers, and not to a stranger', async () => {
  const { text } = await gate.issue();
  const client = await gate.connect('stateless', bearer(text));
  const [said] = (await client.callTool(greeting)).content as { text: string }[];
  expect(said?.text).toContain('Hello, Ada!');
  await expect(gate.connect('stateless', bearer(`${text.slice(0, -1)}_`))).rejects.toThrow(
    'Invalid or expired API key',
  );
});

it('a client of the earlier SDK gets what an example says beside an answer, and ends its session', async () => {
  const { text } = await gate.issue({ restrictions: { mcpTools: ['sessions/start-*'] } });
  const { client, transport } = await connectEarlier('sessions', text);
  const notices: unknown[] = [];
  const three = new Promise<void>((resolve) => {
    client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
      if (notices.push(params.data) === 3) resolve();
    });
  });
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toEqual(['start-notification-stream']);
  const stream = { name: 'start-notification-stream', arguments: { interval: 1, count: 3 } };
  expect((await client.callTool(stream)).isError ?? false).toBe(false);
  await three;
  expect(notices[2]).toContain('Periodic notification #3');
  await expect(client.callTool(greeting)).resolves.toMatchObject({
    isError: true,
    content: [{ text: expect.stringContaining('may not call the tool sessions/greet') }],
  });
  await transport.terminateSession();
  await client.close();
});
