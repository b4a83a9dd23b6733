import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { getRequestListener } from '@hono/node-server';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createConformanceServer } from './conformance-server.ts';
import { createGateUnderTest } from './gate-under-test.ts';
import { serveSessions, type Upstream } from './upstream-server.ts';

const suite = join(
  import.meta.dirname,
  '../../node_modules/@modelcontextprotocol/conformance/dist/index.js',
);

let gate: Awaited<ReturnType<typeof createGateUnderTest>>;
let upstream: Upstream;
let front: Server;

beforeAll(async () => {
  gate = await createGateUnderTest(temporaryFolder());
  upstream = await serveSessions(createConformanceServer);
  await gate.register('conformance', upstream.url);
  // The suite knows of no keys: each request gets one on its way.
  const answer = getRequestListener(gate.test.app.fetch);
  front = createServer((request, response) => {
    request.rawHeaders.push('X-API-Key', gate.manager);
    void answer(request, response);
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
});
afterAll(async () => {
  front.closeAllConnections();
  front.close();
  await gate.close();
  await upstream.close();
});

/** How many checks of each scenario of the protocol's own suite passed and failed. */
async function conformanceOf(url: string): Promise<Readonly<Record<string, string>>> {
  const run = promisify(execFile)(process.execPath, [suite, 'server', '--url', url]);
  // It ends with 1 when anything failed.
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  const lines = stdout.matchAll(/^[✓✗] (\S+): (\d+ passed, \d+ failed)/gm);
  return Object.fromEntries([...lines].map(([, name, outcome]) => [name, outcome]));
}

const addressOf = (path: string): string =>
  `http://127.0.0.1:${(front.address() as AddressInfo).port}${path}`;

const failing = (outcomes: Readonly<Record<string, string>>): readonly string[] =>
  Object.keys(outcomes).filter((scenario) => !outcomes[scenario]?.endsWith(' 0 failed'));

it('all that a server does for the conformance suite, it does behind the gate too', async () => {
  const outcomes = await conformanceOf(addressOf('/mcp/servers/conformance'));
  expect(failing(outcomes)).toEqual([]);
  expect(Object.keys(outcomes).length).toBeGreaterThan(25);
});

/** docs/mcp.md says why. */
const deviations = [
  'completion-complete',
  ...['elicitation-sep1034-defaults', 'elicitation-sep1330-enums'],
  'logging-set-level',
  ...['prompts-get-embedded-resource', 'prompts-get-simple'],
  ...['prompts-get-with-args', 'prompts-get-with-image'],
  ...['resources-read-binary', 'resources-read-text'],
  ...['resources-subscribe', 'resources-templates-read', 'resources-unsubscribe'],
  ...['tools-call-audio', 'tools-call-elicitation', 'tools-call-embedded-resource'],
  ...['tools-call-error', 'tools-call-image', 'tools-call-mixed-content', 'tools-call-sampling'],
  ...['tools-call-simple-text', 'tools-call-with-logging', 'tools-call-with-progress'],
];

it('the own server passes but for what it does not offer', async () => {
  const outcomes = await conformanceOf(addressOf('/mcp'));
  expect(failing(outcomes).toSorted()).toEqual(deviations);
  expect(Object.keys(outcomes)).toEqual(
    expect.arrayContaining([
      ...['server-initialize', 'ping', 'tools-list', 'prompts-list'],
      ...['server-sse-multiple-streams', 'dns-rebinding-protection'],
    ]),
  );
});
