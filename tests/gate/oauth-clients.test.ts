import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { User, Workspace } from '@sandgate/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { serverConfig } from '../../packages/server/src/config/server-config.ts';
import { type Listener, listen } from '../../packages/server/src/http/listen.ts';
import { oauthProgram } from '../support/oauth-program.ts';
import { samplePassword, samplePeople } from '../support/sample-people.ts';
import { socketBrowser } from '../support/socket-browser.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createGateUnderTest } from './gate-under-test.ts';
import { serveSessions, type Upstream } from './upstream-server.ts';

const folder = temporaryFolder();
let gate: Awaited<ReturnType<typeof createGateUnderTest>>;
let listener: Listener;
let upstream: Upstream;
let member: User;
let team: Workspace;

beforeAll(async () => {
  const { identity } = serverConfig.parse({
    identity: { oauth: { allowedPrivateHosts: ['localhost'] } },
  });
  gate = await createGateUnderTest(folder, { identity });
  const { test } = gate;
  // The library that signs programs in has the machine's clock.
  test.clock.currentMs = Date.now();
  listener = await listen(test.app, { host: '127.0.0.1', port: 0, tls: null });
  upstream = await serveSessions();
  await gate.register('sticky', upstream.url);
  const people = samplePeople(test);
  member = await people.newUser();
  const found = await test.storage.workspaces.findBySlug('team');
  if (found === null) throw new Error('no team');
  team = found;
  await people.join(team, member, 'member');
});
afterAll(async () => {
  await listener.close(0);
  await gate.close();
  await upstream.close();
});

const redirectUrl = 'http://127.0.0.1:33418/callback';

/** A program, with the browser of a person who decides as `fields` says. */
function programOf(
  path: string,
  fields: Readonly<Record<string, string | string[]>>,
  clientMetadataUrl?: string,
) {
  const seen = { page: '' };
  const decide = async (url: URL): Promise<URL> => {
    const browser = socketBrowser(listener.address);
    seen.page = (await browser.open(url.href)).text;
    await browser.submit({ action: 'log_in', email: member.email, password: samplePassword });
    const left = await browser.submit({ action: 'allow', workspace: 'team', days: '1', ...fields });
    return new URL(left.url);
  };
  const resource = `${listener.address}${path}`;
  return { seen, ...oauthProgram(resource, redirectUrl, decide, clientMetadataUrl) };
}

it('the official client signs in by itself to a server behind the gate, and has the tools that were allowed', async () => {
  const program = programOf('/mcp/servers/sticky', { tool_patterns: 'read_*' });
  const client = await program.connect();
  expect(program.seen.page).toContain('the MCP server <strong>sticky</strong>');
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toEqual(['read_note']);
  const refused = await client.callTool({ name: 'add', arguments: { a: 1, b: 1 } });
  expect(refused.isError).toBe(true);
  await client.close();
});

it('renews its tokens by itself', async () => {
  const program = programOf('/mcp', { tool: ['sandbox_list'] });
  const client = await program.connect();
  const before = program.kept.tokens;
  if (before === undefined) throw new Error('no tokens');
  program.kept.tokens = { ...before, access_token: 'one that is good no more' };
  const listed = await client.callTool({ name: 'sandbox_list', arguments: { namespace: 'team' } });
  expect(listed.isError ?? false).toBe(false);
  expect(program.kept.tokens.refresh_token).not.toBe(before.refresh_token);
  await client.close();
});

it('takes a program by the document at its own address, and says where that is', async () => {
  const certificate = join(folder, 'client.pem');
  const key = join(folder, 'client.key');
  const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  execFileSync(
    'openssl',
    [
      ...words,
      ...['-days', '2', '-keyout', key, '-out', certificate],
      ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
    ],
    { stdio: 'pipe' },
  );
  const pem = readFileSync(certificate, 'utf8');
  let asked = 0;
  let document: object = {};
  const server = createServer({ cert: pem, key: readFileSync(key) }, (_, response) => {
    asked += 1;
    response.setHeader('content-type', 'application/json').end(JSON.stringify(document));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const trusted = getCACertificates('default');
  setDefaultCACertificates([...trusted, pem]);
  try {
    const url = `https://localhost:${(server.address() as AddressInfo).port}/client.json`;
    document = {
      client_id: url,
      client_name: 'A described agent',
      redirect_uris: [redirectUrl],
      token_endpoint_auth_method: 'none',
    };
    const program = programOf('/mcp', { tool: ['sandbox_list'] }, url);
    const client = await program.connect();
    expect(asked).toBe(1);
    expect(program.seen.page).toContain(`described at <code>${url}</code>`);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['sandbox_list']);
    await client.close();
    // The document has to speak of the address that it is at.
    const other = `${url}?other`;
    const visit = await socketBrowser(listener.address).open(
      `${listener.address}/oauth/authorize?${new URLSearchParams({ client_id: other, redirect_uri: redirectUrl, response_type: 'code' })}`,
    );
    expect(visit.status).toBe(400);
  } finally {
    setDefaultCACertificates(trusted);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

it.each([
  'https://127.0.0.1:1/client.json',
  'https://169.254.169.254/latest/client.json',
  'https://[::1]:1/client.json',
])('fetches no document from %s', async (clientId) => {
  const { status, text } = await socketBrowser(listener.address).open(
    `${listener.address}/oauth/authorize?${new URLSearchParams({ client_id: clientId, redirect_uri: redirectUrl, response_type: 'code' })}`,
  );
  expect(status).toBe(400);
  expect(text).toContain('metadata document fetch failed');
});
