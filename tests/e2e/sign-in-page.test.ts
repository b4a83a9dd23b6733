import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startBrowser } from '../support/browser.ts';
import { oauthProgram } from '../support/oauth-program.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let server: ServerProcess;
let browser: Browser;
/** Where the program waits for the browser. */
let redirectUrl: string;
const callback = createServer((_, response) => response.end('You may close this window.'));

const person = { email: 'ann@example.com', password: 'correct horse battery' };

beforeAll(async () => {
  [server, browser] = await Promise.all([
    startServerProcess({ home: temporaryFolder() }),
    startBrowser(),
  ]);
  const [token = ''] = /setup_[0-9a-f]{40}/.exec(server.output()) ?? [];
  const setUp = await fetch(`${server.address}/auth/setup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token, ...person }),
  });
  expect(setUp.status).toBe(201);
  await new Promise<void>((resolve) => callback.listen(0, '127.0.0.1', resolve));
  redirectUrl = `http://127.0.0.1:${(callback.address() as AddressInfo).port}/callback`;
}, 60_000);
afterAll(async () => {
  callback.closeAllConnections();
  callback.close();
  await browser.close();
  await server.stop();
});

/** A program of somebody who decides, in a browser, as `decide` says. */
const program = (decide: (page: Page) => Promise<void>) =>
  oauthProgram(`${server.address}/mcp`, redirectUrl, async (url) => {
    const page = await browser.newPage();
    try {
      await page.goto(url.href);
      await decide(page);
      await page.waitForURL(`${redirectUrl}?**`);
      return new URL(page.url());
    } finally {
      await page.close();
    }
  });

it('a person lets an agent in, and it runs code in the sandboxes that it was allowed', async () => {
  const agent = program(async (page) => {
    await page.getByLabel('E-mail address').fill(person.email);
    await page.getByLabel('Password').fill(person.password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByLabel('sandbox_write_file').uncheck();
    await page.getByLabel('Only sandboxes whose names begin with').fill('agent-');
    await page.getByLabel('How many sandboxes at once').fill('1');
    await page.getByRole('button', { name: 'Let it in' }).click();
  });
  const client = await agent.connect();
  const call = async (name: string, args: Record<string, unknown>) => {
    const { isError = false, content } = await client.callTool({ name, arguments: args });
    return { isError, text: JSON.stringify(content) };
  };
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).not.toContain('sandbox_write_file');
  const start = (sandbox: string) =>
    call('sandbox_start', { sandbox, config: { image: 'microsandbox/python' } });
  expect(await start('other')).toMatchObject({ isError: true });
  expect(await start('agent-1')).toMatchObject({ isError: false });
  const ran = await call('sandbox_run_code', {
    sandbox: 'agent-1',
    language: 'python',
    code: 'print(6 * 7)',
  });
  expect(ran.text).toContain('42');
  const second = await start('agent-2');
  expect(second.isError).toBe(true);
  expect(second.text).toContain('1');
  await client.close();
}, 60_000);

it('a person refuses, without logging in', async () => {
  const agent = program(async (page) => {
    await page.getByRole('button', { name: 'Refuse' }).click();
  });
  await agent.begin();
  expect(agent.kept.left?.searchParams.get('error')).toBe('access_denied');
}, 60_000);

it('the page has no fault that a browser tells of', async () => {
  const problems: string[] = [];
  const agent = program(async (page) => {
    page.on('console', (message) => problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(error.message));
    await page.reload();
    expect(await page.evaluate('getComputedStyle(document.body).margin')).toBe('0px');
    await page.getByRole('button', { name: 'Refuse' }).click();
  });
  await agent.begin();
  expect(problems.filter((text) => !text.includes('favicon'))).toEqual([]);
}, 60_000);
