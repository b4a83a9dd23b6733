import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { IssueKeyRequest } from '@sandgate/core';
import { expect } from 'vitest';
import { createTestApp, type TestApp } from '../support/test-app.ts';

export type Generation = 'legacy' | { readonly pin: string };

/** The whole app with the gate in front of what a test serves. */
export async function createGateUnderTest(
  folder: string,
  options: Parameters<typeof createTestApp>[1] = {},
) {
  const test: TestApp = await createTestApp(folder, options);
  const operator = (await test.issue()).text;
  const issue = async (request: IssueKeyRequest = {}) =>
    await test.issue({ namespace: 'team', ...request });
  const manager = (await issue()).text;
  const clients: Client[] = [];

  const send = async (
    name: string,
    headers: Record<string, string>,
    init: { method?: string; body?: unknown } = {},
  ) => {
    const { method = 'POST', body } = init;
    const response = await test.app.request(`/mcp/servers/${name}`, {
      method,
      headers: {
        ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
        accept: 'application/json, text/event-stream',
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return response;
  };

  return {
    test,
    operator,
    /** A key of the workspace `team` that may do everything. */
    manager,
    issue,
    send,
    /** Registers a server of `team`. */
    async register(name: string, url: string, settings: object = {}) {
      const body = { name, url, ...settings };
      const made = await test.api('POST', '/mcp-servers', manager, body);
      expect(made.status, made.text).toBe(200);
      return made.body;
    },
    /** The official client, connected through the gate. */
    async connect(name: string, headers: Record<string, string>, mode: Generation = 'legacy') {
      const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
      const transport = new StreamableHTTPClientTransport(
        new URL(`http://127.0.0.1/mcp/servers/${name}`),
        {
          requestInit: { headers },
          fetch: async (url, init) => await test.app.request(String(url), init),
        },
      );
      clients.push(client);
      await client.connect(transport);
      return client;
    },
    async usageOf(number: number) {
      const usage = await test.api('GET', `/usage?key=${number}&size=100`, operator);
      return usage.body.usage as { endpoint: string; status_code: number; error: string | null }[];
    },
    async close() {
      for (const client of clients) await client.close();
      await test.upstreams.close();
    },
  };
}

export const bearer = (text: string) => ({ authorization: `Bearer ${text}` });

export const call = (name: string, input: object = {}, id: unknown = 1) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: input },
});
