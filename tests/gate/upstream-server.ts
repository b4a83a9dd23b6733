import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { getRequestListener } from '@hono/node-server';
import {
  createMcpHandler,
  McpServer,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import { z } from 'zod';

export interface SeenRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

export interface Upstream {
  readonly url: string;
  /** Everything that has reached it, oldest first. */
  readonly seen: SeenRequest[];
  close(): Promise<void>;
}

/** Serves on a free port of the loopback address. */
async function serve(listener: RequestListener, seen: SeenRequest[]): Promise<Upstream> {
  const server: Server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    seen,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function serveFetch(answer: (request: Request) => Promise<Response>): Promise<Upstream> {
  const seen: SeenRequest[] = [];
  const listener = getRequestListener(async (request) => {
    const headers = Object.fromEntries(request.headers);
    seen.push({ method: request.method, headers, body: await request.clone().text() });
    return await answer(request);
  });
  return await serve(listener, seen);
}

/** What the SDK's own server offers in the tests. */
function exampleServer(): McpServer {
  const server = new McpServer({ name: 'example', version: '1' });
  server.registerTool(
    'add',
    { description: 'Add', inputSchema: z.object({ a: z.number(), b: z.number() }) },
    async ({ a, b }) => ({ content: [{ type: 'text', text: String(a + b) }] }),
  );
  server.registerTool('read_note', { description: 'Read' }, async () => ({
    content: [{ type: 'text', text: 'a note' }],
  }));
  server.registerTool('count', { description: 'Tell of progress' }, async (context) => {
    const progressToken = context.mcpReq._meta?.progressToken;
    for (const progress of [1, 2, 3]) {
      if (progressToken === undefined) continue;
      await context.mcpReq.notify({
        method: 'notifications/progress',
        params: { progressToken, progress },
      });
    }
    return { content: [{ type: 'text', text: 'counted' }] };
  });
  return server;
}

/** Without sessions, for clients of every revision. */
export async function serveStateless(): Promise<Upstream> {
  const handler = createMcpHandler(() => exampleServer());
  return await serveFetch((request) => handler.fetch(request));
}

/** With sessions, as servers of 2025 have them: each gets a server of its own. */
export async function serveSessions(
  createSessionServer: () => Pick<McpServer, 'connect'> = exampleServer,
): Promise<Upstream> {
  const transports = new Map<string, WebStandardStreamableHTTPServerTransport>();
  return await serveFetch(async (request) => {
    const id = request.headers.get('mcp-session-id');
    const known = id === null ? undefined : transports.get(id);
    if (known !== undefined) return await known.handleRequest(request);
    if (id !== null) return Response.json({ error: 'unknown' }, { status: 404 });
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (session) => void transports.set(session, transport),
    });
    await createSessionServer().connect(transport);
    return await transport.handleRequest(request);
  });
}

/** Answers as the test says, with the body read. */
export async function serveScripted(
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void,
): Promise<Upstream> {
  const seen: SeenRequest[] = [];
  return await serve(async (request, response) => {
    const { method = '', headers } = request;
    const body = await text(request);
    seen.push({ method, headers, body });
    answer(request, response, body);
  }, seen);
}
