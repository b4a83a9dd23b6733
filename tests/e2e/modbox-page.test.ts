import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/modbox.md'), 'utf8');
const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block ?? '');

const folder = temporaryFolder();
const home = join(folder, 'home');
let server: ServerProcess;

beforeAll(async () => {
  mkdirSync(home, { mode: 0o700 });
  const config = { sandbox: { wildcardUrl: 'http://*.box.example' } };
  writeFileSync(join(home, 'config.json'), JSON.stringify(config));
  server = await startServerProcess({ home });
  // Every host name is this server, as a wildcard in the domain name system would have it.
  const { host } = new URL(server.address);
  writeFileSync(join(folder, '.curlrc'), `connect-to = "::${host}"\nnoproxy = "*"\n`);
});

afterAll(async () => {
  await server.stop();
});

it('docs/modbox.md has only commands that work, in its order', async () => {
  expect(blocks.length).toBeGreaterThan(3);
  const { stdout } = await promisify(execFile)('/bin/sh', ['-e', '-c', blocks.join('\n')], {
    cwd: folder,
    env: {
      ...process.env,
      CURL_HOME: folder,
      SANDGATE: server.address,
      TOKEN: server.firstKey,
    },
  });
  for (const told of [
    '"success":true,"error":null,"sandbox_id":"',
    '"ready":true',
    '"name":"my-browser-sandbox","status":"running","sandbox_url":"http://',
    '{"exitCode":3,"stdout":"hello\\n","stderr":"","durationMs":',
    '"filename":"report.txt","path":"/workspace/uploads/report.txt","size":10',
    '{"files":[{"name":"report.txt"',
    'some data\n',
    '{"success":true}',
    'welcome\nwelcome\n',
    '{"success":true,"error":null}',
  ]) {
    expect(stdout).toContain(told);
  }
});

const call = async (path: string, token: string, body?: object) => {
  const response = await fetch(`${server.address}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  // The tests look into answers of many shapes; a wrong guess fails the test that makes it.
  return (await response.json()) as ReturnType<typeof JSON.parse>;
};

const echoServer = `
  const { createServer } = require('node:http');
  const { createHash } = require('node:crypto');
  createServer().on('upgrade', (request, socket) => {
    const key = request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
    const accept = createHash('sha1').update(key).digest('base64');
    socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\n' +
      'Connection: Upgrade\\r\\nSec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n');
    const text = request.url + ' ' + (request.headers.authorization ?? 'no credential');
    socket.write(Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]));
  }).listen(9000, () => console.log('ready'));
`;

it('passes WebSocket on by path and by host name, and opens to the secret alone', async () => {
  const secret = 'a-secret-of-mine';
  const made = await call('/sandboxes/provision', server.firstKey, {
    task_id: 'sockets',
    image: 'node',
    env_vars: { SANDBOX_API_KEY: secret, CODE: echoServer },
  });
  await call('/sandboxes/wait', server.firstKey, { task_id: 'sockets' });
  const path = `/modbox/s/${made.sandbox_id}`;
  const started = await call(`${path}/modbox/api/exec`, secret, {
    command: 'node -e "$CODE" >log & while ! grep -q ready log; do :; done; echo $SANDBOX_API_KEY',
  });
  expect(started).toMatchObject({ exitCode: 0, stdout: `${secret}\n` });
  const { host } = new URL(server.address);
  const label = new URL(made.sandbox_url).hostname.split('.')[0];
  const open = async (url: string, headers: Readonly<Record<string, string>>) => {
    const socket = new WebSocket(url, { headers });
    try {
      // Rejects when the socket tells of an error.
      const [message] = await once(socket, 'message');
      return String(message);
    } catch (error) {
      return String(error);
    } finally {
      socket.close();
    }
  };
  const withSecret = { authorization: `Bearer ${secret}` };
  const byPath = `ws://${host}${path}/ports/9000/by/path?x=1`;
  expect(await open(byPath, withSecret)).toBe('/by/path?x=1 no credential');
  const byHost = { ...withSecret, host: `9000-${label}.box.example` };
  expect(await open(`ws://${host}/by/host`, byHost)).toBe('/by/host no credential');
  expect(await open(byPath, { authorization: 'Bearer another-secret' })).toContain('401');
  expect(await open(`ws://${host}/`, { host: byHost.host })).toContain('401');
  const log = readFileSync(join(home, 'logs/server.log'), 'utf8');
  expect(log).not.toContain(secret);
  const shown = await call('/sandboxes/detail/sockets', server.firstKey);
  expect(shown.created_by).toBe('key:1');
});
