import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type NativeClient, nativeClient } from '../support/native-client.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let server: ServerProcess;
let client: NativeClient;
/** A sandbox that most of these tests share. */
let id: string;

beforeAll(async () => {
  server = await startServerProcess({ home: join(temporaryFolder(), 'home') });
  client = nativeClient(server);
  const { status, body } = await client.call('POST', '/sandboxes', {
    name: 'shared',
    template: 'python',
    labels: { purpose: 'tests' },
    env: { GREETING: 'good day' },
  });
  expect([status, body.state]).toEqual([200, 'ready']);
  id = body.id;
});

afterAll(async () => {
  await server.stop();
});

const exec = async (json: Record<string, unknown>) =>
  (await client.call('POST', `/sandboxes/${id}/exec`, json)).body;

describe('the life of a sandbox', () => {
  it('is listed by state, label and name, and found by name and id', async () => {
    const listed = await client.call(
      'GET',
      '/sandboxes?state=ready,paused&label=purpose=tests&name_prefix=sha&template=python',
    );
    expect(listed.body).toMatchObject({ total: 1, next_cursor: null, sandboxes: [{ id }] });
    expect((await client.call('GET', '/sandboxes?label=purpose=else')).body.total).toBe(0);
    expect((await client.call('GET', '/sandboxes/shared')).body.id).toBe(id);
    expect((await client.call('GET', `/sandboxes/${id}`)).body.env_names).toEqual(['GREETING']);
    const { status } = await client.call('GET', '/sandboxes/nobody');
    expect(status).toBe(404);
  });

  it('changes name and labels, and lives for as long as it is told', async () => {
    const made = await client.call('POST', '/sandboxes', { template: 'python' });
    const { id: other } = made.body;
    const renamed = await client.call('PATCH', `/sandboxes/${other}`, { name: 'renamed' });
    expect(renamed.body.name).toBe('renamed');
    const extended = await client.call('POST', '/sandboxes/renamed/extend', { expires_in: '2h' });
    const leftMs = Date.parse(extended.body.lifetime.expires_at) - Date.now();
    expect(Math.abs(leftMs - 7_200_000)).toBeLessThan(60_000);
    expect((await client.call('POST', '/sandboxes/renamed/stop')).body.state).toBe('stopped');
    expect((await client.call('POST', '/sandboxes/renamed/start')).body.state).toBe('ready');
    const gone = await client.call('DELETE', '/sandboxes/renamed');
    expect(gone.body).toMatchObject({ id: other, state: 'destroyed', destroy_reason: 'user' });
    expect((await client.call('DELETE', `/sandboxes/${other}`)).status).toBe(200);
    expect((await client.call('GET', '/sandboxes/renamed')).status).toBe(404);
  });

  it('keeps its memory while it is paused, and refuses work', async () => {
    await client.call('POST', `/sandboxes/${id}/code`, { code: 'kept = 41' });
    expect((await client.call('POST', `/sandboxes/${id}/pause`)).body.state).toBe('paused');
    const refused = await client.call('POST', `/sandboxes/${id}/exec`, { command: 'true' });
    expect([refused.status, refused.headers.get('x-error-code')]).toEqual([409, 'sandbox_paused']);
    expect((await client.call('POST', `/sandboxes/${id}/resume`)).body.state).toBe('ready');
    const { body } = await client.call('POST', `/sandboxes/${id}/code`, { code: 'kept + 1' });
    expect(body.results).toEqual([{ role: 'value', data: { 'text/plain': '42' } }]);
  });

  it('names every violation of a request at once', async () => {
    const { status, body } = await client.call('POST', '/sandboxes', {
      resources: { cpus: -1 },
      egress: { mode: 'wide' },
      surprise: true,
    });
    expect(status).toBe(400);
    expect(body.detail).toMatch(/resources\.cpus.*egress\.mode.*surprise/);
  });
});

describe('the log of a main command', () => {
  it('is read in parts, and followed to the end of the sandbox from any byte', async () => {
    const made = await client.call('POST', '/sandboxes', {
      template: 'python',
      command: 'echo at work; echo gr\u00fcn; exec sleep 987654',
    });
    const logs = `/sandboxes/${made.body.id}/logs`;
    const received = [];
    for await (const event of client.events('GET', logs)) {
      received.push(event);
      const text = received.map(({ data }) => data.text ?? '').join('');
      if (text !== 'at work\ngr\u00fcn\n') continue;
      await client.call('POST', `/sandboxes/${made.body.id}/stop`);
    }
    expect(received.at(-1)).toMatchObject({ event: 'end', id: '14', data: { to_byte: 14 } });
    const again = [];
    const headers = { 'last-event-id': '8' };
    for await (const event of client.events('GET', logs, { headers })) again.push(event);
    expect(again).toMatchObject([
      { event: 'log', data: { text: 'gr\u00fcn\n' } },
      { event: 'end' },
    ]);
    // Three bytes of the word are one and a half of its letters.
    const part = await client.call('GET', `${logs}?from_byte=-6&max_bytes=4`);
    expect(part.body).toEqual({ data: 'gr\u00fc', from_byte: 8, to_byte: 12, end_byte: 14 });
    await client.call('DELETE', `/sandboxes/${made.body.id}`);
  });
});

describe('a command', () => {
  it('gets its input, environment and directory, and answers both streams', async () => {
    expect(
      await exec({
        command: 'cat; echo "$GREETING $MORE"; pwd; echo wrong >&2; exit 3',
        stdin: 'typed\n',
        env: { MORE: 'day' },
        cwd: '/tmp',
      }),
    ).toEqual({
      status: 'exited',
      exit_code: 3,
      stdout: 'typed\ngood day day\n/tmp\n',
      stderr: 'wrong\n',
      stdout_truncated: false,
      stderr_truncated: false,
    });
    const raw = { command: ['cat'], stdin: '/wA=', stdin_encoding: 'base64', encoding: 'base64' };
    expect((await exec(raw)).stdout).toBe('/wA=');
  });

  it('is cut off at its time and at its bound of output, and says so', async () => {
    expect(await exec({ command: 'echo so far; sleep 60', timeout_seconds: 0.3 })).toMatchObject({
      status: 'timed_out',
      exit_code: null,
      stdout: 'so far\n',
    });
    const much = await exec({ command: 'head -c 5000000 /dev/zero | tr "\\0" x; echo end >&2' });
    expect([much.stdout.length, much.stdout_truncated]).toEqual([4 * 1_024 * 1_024, true]);
    expect([much.stderr, much.stderr_truncated]).toEqual(['end\n', false]);
  });

  it('tells what it writes as it is written, in the order of each stream', async () => {
    const events = client.events('POST', `/sandboxes/${id}/exec`, {
      json: { command: 'printf "gr\\303"; read line; printf "\\274n $line"', stdin: 'now\n' },
    });
    const received = [];
    for await (const event of events) received.push(event);
    const text = received.map(({ data }) => data.text ?? '').join('');
    expect(text).toBe('grün now');
    expect(received.at(-1)).toMatchObject({
      event: 'exit',
      data: { status: 'exited', exit_code: 0 },
    });
  });

  it('ends when its client goes away', async () => {
    const events = client.events('POST', `/sandboxes/${id}/exec`, {
      json: { command: 'echo begun; exec sleep 987654' },
    });
    expect((await events.next()).value).toMatchObject({ data: { text: 'begun\n' } });
    await events.return(undefined);
    const still = 'for f in /proc/[0-9]*/cmdline; do tr "\\0" " " < $f; echo; done';
    await expect
      .poll(async () => (await exec({ command: still })).stdout, { timeout: 20_000 })
      .not.toContain('sleep 987654');
  });
});

describe('code', () => {
  it('answers values, tables and images, and errors with their frames', async () => {
    const run = async (code: string, language = 'python') =>
      (await client.call('POST', `/sandboxes/${id}/code`, { code, language })).body;
    expect(await run('print("out"); [1, 2]')).toMatchObject({
      status: 'completed',
      stdout: 'out\n',
      results: [{ role: 'value', data: { 'text/plain': '[1, 2]' } }],
    });
    const raised = await run('def f():\n  return {}["missing"]\nf()');
    expect(raised).toMatchObject({ status: 'raised', error: { name: 'KeyError' } });
    expect(raised.error.traceback.at(-1)).toMatchObject({ function: 'f', line: 2 });
    const table = await run(
      'class T:\n  def _repr_html_(self): return "<table></table>"\n  def _repr_png_(self): return b"png"\nT()',
    );
    expect(table.results[0].data).toMatchObject({
      'text/html': '<table></table>',
      'image/png': Buffer.from('png').toString('base64'),
    });
  });

  it('shows output and results as they come', async () => {
    const events = client.events('POST', `/sandboxes/${id}/code`, {
      json: { code: 'print("first")\n7 * 6' },
    });
    const received = [];
    for await (const event of events) received.push(event);
    // Output and values come by streams of their own, in any pieces, and the end after both.
    const kinds = new Set(received.map(({ event }) => event));
    expect([...kinds].toSorted()).toEqual(['done', 'result', 'stdout']);
    expect(received.at(-1)?.event).toBe('done');
    const result = received.find(({ event }) => event === 'result');
    expect(result?.data.data['text/plain']).toBe('42');
  });
});

describe('a file', () => {
  const path = '/workspace/folder/data.bin';
  const at = (more = '') => `/sandboxes/${id}/files?path=${path}${more}`;

  it('is written and read as it is, whole and in part', async () => {
    const content = Buffer.alloc(3_000_000, 'sandgate ');
    const written = await client.send('PUT', at('&parents=true&mode=0640'), { body: content });
    expect(await written.json()).toEqual({ path, size_bytes: content.byteLength });
    const read = await client.send('GET', at());
    expect(read.headers.get('content-length')).toBe(String(content.byteLength));
    expect(content.equals(Buffer.from(await read.arrayBuffer()))).toBe(true);
    const part = await client.send('GET', at(), { headers: { range: 'bytes=9-16' } });
    expect([part.status, await part.text()]).toEqual([206, 'sandgate']);
    expect(part.headers.get('content-range')).toBe(`bytes 9-16/${content.byteLength}`);
    const beyond = await client.send('GET', at(), { headers: { range: 'bytes=3000000-' } });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */3000000']);
    expect((await client.send('HEAD', at())).status).toBe(200);
  });

  it('is shown, listed, moved and removed', async () => {
    const files = `/sandboxes/${id}/files`;
    const entry = (await client.call('GET', `${files}/entry?path=${path}`)).body;
    expect(entry).toMatchObject({ kind: 'file', size_bytes: 3_000_000, mode: '0640' });
    const target = '/workspace/other';
    const moved = await client.call('POST', `${files}/move`, { from: path, to: target });
    expect(moved.body.path).toBe(target);
    const listed = await client.call('GET', `${files}/list?path=/workspace`);
    const names = listed.body.entries.map((each: { path: string }) => each.path);
    expect(names).toEqual(expect.arrayContaining(['/workspace/folder', target]));
    expect((await client.call('DELETE', `${files}?path=${target}`)).status).toBe(204);
    expect((await client.call('GET', `${files}?path=${target}`)).status).toBe(404);
    const made = await client.call('POST', `${files}/directories`, {
      path: '/workspace/a/b',
      parents: true,
    });
    expect(made.body.kind).toBe('directory');
    const full = await client.call('DELETE', `${files}?path=/workspace/a`);
    expect([full.status, full.headers.get('x-error-code')]).toEqual([409, 'file_conflict']);
    const all = await client.call('DELETE', `${files}?path=/workspace/a&recursive=true`);
    expect(all.status).toBe(204);
  });
});

describe('a directory', () => {
  it('goes out and in as an archive, and tells what changes in it', async () => {
    const files = `/sandboxes/${id}/files`;
    const write = (path: string, body: string) =>
      client.send('PUT', `${files}?path=${path}&parents=true`, { body });
    await write('/workspace/from/deep/file', 'content');
    expect((await client.send('GET', `${files}/watch?path=/workspace/to`)).status).toBe(404);
    await client.call('POST', `${files}/directories`, { path: '/workspace/to' });
    const watched = client.events('GET', `${files}/watch?path=/workspace/to&recursive=true`);
    expect((await watched.next()).value).toMatchObject({ event: 'watching' });
    const packed = await client.send('GET', `${files}/archive?path=/workspace/from`);
    expect(packed.headers.get('content-type')).toBe('application/x-tar');
    const archive = Buffer.from(await packed.arrayBuffer());
    const into = `${files}/archive?path=/workspace/to`;
    expect((await client.send('PUT', into, { body: archive })).status).toBe(204);
    const read = await client.send('GET', `${files}?path=/workspace/to/deep/file`);
    expect(await read.text()).toBe('content');
    const told: string[] = [];
    for await (const { event, data } of watched) {
      told.push(`${event} ${data.path}`);
      if (told.length === 2) break;
    }
    expect(told.toSorted()).toEqual([
      'created /workspace/to/deep',
      'created /workspace/to/deep/file',
    ]);
    const refused = await client.send('PUT', into, { body: 'no archive' });
    expect([refused.status, refused.headers.get('x-error-code')]).toEqual([400, 'invalid_request']);
  });

  it('tells by the tag of a file whether a part is still of the same content', async () => {
    const at = `/sandboxes/${id}/files?path=/workspace/tagged`;
    await client.send('PUT', at, { body: 'first content' });
    const tag = (await client.send('GET', at)).headers.get('etag') ?? '';
    const part = async () => {
      const headers = { range: 'bytes=0-4', 'if-range': tag };
      const answer = await client.send('GET', at, { headers });
      return [answer.status, await answer.text()];
    };
    expect(await part()).toEqual([206, 'first']);
    await client.send('PUT', at, { body: 'second and longer content' });
    expect(await part()).toEqual([200, 'second and longer content']);
  });
});

describe('a port', () => {
  /** Listens when it is answered. */
  const startProgram = async (): Promise<number> => {
    const code = `
import http.server, threading
class Handler(http.server.BaseHTTPRequestHandler):
  def do_POST(self):
    body = self.rfile.read(int(self.headers["content-length"]))
    self.send_response(201)
    self.send_header("x-asked", self.path)
    self.end_headers()
    self.wfile.write(body.upper() + str(self.headers).encode())
program = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=program.serve_forever, daemon=True).start()
program.server_port`;
    const { body } = await client.call('POST', `/sandboxes/${id}/code`, { code });
    return Number(body.results[0].data['text/plain']);
  };

  it('passes requests on to the program that listens there, without their key', async () => {
    const port = await startProgram();
    const at = `/sandboxes/shared/ports/${port}`;
    const answer = await client.send('POST', `${at}/some/path?x=1`, { body: 'sent' });
    expect([answer.status, answer.headers.get('x-asked')]).toEqual([201, '/some/path?x=1']);
    const told = await answer.text();
    expect(told).toMatch(/^SENT/);
    expect(told).not.toContain(server.firstKey);
    const endpoint = '/api/v1/sandboxes/{sandbox}/ports/{port}/{path}';
    const usage = `/usage?endpoint=${encodeURIComponent(endpoint)}`;
    await expect
      .poll(async () => (await client.call('GET', usage)).body.usage, { timeout: 20_000 })
      .toMatchObject([{ method: 'POST', status_code: 201, sandbox_id: id }]);
  });

  it('is opened for WebSockets to those who may, and to no page of another host', async () => {
    const knock = async (headers: Record<string, string>) => {
      const address = server.address.replace('http', 'ws');
      const socket = new WebSocket(`${address}/api/v1/sandboxes/${id}/ports/1/`, { headers });
      socket.on('error', () => undefined);
      const [, response] = await once(socket, 'unexpected-response');
      response.resume();
      return [response.statusCode, response.headers['x-error-code']];
    };
    const key = { 'x-api-key': server.firstKey };
    expect(await knock({})).toEqual([401, 'credential_missing']);
    expect(await knock(key)).toEqual([502, 'port_closed']);
    expect((await knock({ ...key, origin: 'https://evil.example' }))[0]).toBe(403);
    expect(await knock({ ...key, origin: server.address })).toEqual([502, 'port_closed']);
  });
});

describe('a terminal', () => {
  it('is one: it has a size, an echo and job control, and ends with its client', async () => {
    const address = server.address.replace('http', 'ws');
    const query = new URLSearchParams({
      columns: '97',
      rows: '31',
      cwd: '/tmp',
      env: JSON.stringify({ PS1: '> ', MARK: 'terminal' }),
    });
    const socket = new WebSocket(`${address}/api/v1/sandboxes/${id}/terminal?${query}`, {
      headers: { 'x-api-key': server.firstKey },
    });
    let shown = '';
    let told: unknown = null;
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) shown += data;
      else told = JSON.parse(data.toString());
    });
    await once(socket, 'open');
    const shows = (text: RegExp) => expect.poll(() => shown, { timeout: 20_000 }).toMatch(text);
    socket.send(Buffer.from('echo "$MARK $(pwd) $(stty size)"\n'));
    await shows(/terminal \/tmp 31 97/);
    socket.send(JSON.stringify({ type: 'resize', columns: 120, rows: 40 }));
    await expect
      .poll(
        () => {
          socket.send(Buffer.from('stty size\n'));
          return shown;
        },
        { timeout: 20_000 },
      )
      .toMatch(/40 120/);
    const closed = once(socket, 'close');
    socket.send(Buffer.from('exit 3\n'));
    await closed;
    expect(told).toEqual({ type: 'exit', status: 'exited', exit_code: 3 });
  });
});
