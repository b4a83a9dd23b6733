import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type BrimbleClient,
  createBrimbleClient,
  readEvents,
  sendRaw,
} from '../support/brimble-client.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const home = temporaryFolder();
let server: ServerProcess;
let key: string;
let brimble: BrimbleClient;
/** Shared by what leaves it as it was. */
let sandbox: string;

const unlimited = { minute: null, hour: null, day: null };

beforeAll(async () => {
  await writeFile(
    join(home, 'config.json'),
    JSON.stringify({ plans: { standard: { requests: unlimited } } }),
  );
  server = await startServerProcess({ home });
  const made = await createBrimbleClient(server.address, null).call(
    'POST',
    '/core/v1/api-key/create',
    {},
    { 'x-api-key': server.firstKey },
  );
  expect(made.status).toBe(201);
  key = made.data.api_key;
  brimble = createBrimbleClient(`${server.address}/brimble`, key);
  sandbox = await create();
}, 60_000);
afterAll(async () => {
  await server.stop();
});

async function create(body: Record<string, unknown> = {}): Promise<string> {
  const made = await brimble.call('POST', '/sandboxes', body);
  expect(made.body).toMatchObject({ message: 'Sandbox created' });
  expect(made.status).toBe(201);
  return made.data.id;
}

const id = /^[0-9a-f]{24}$/;
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('credentials', () => {
  it('says that a key is required, also to Bearer, and that a key is invalid', async () => {
    const stranger = createBrimbleClient(`${server.address}/brimble`, null);
    expect(await stranger.call('GET', '/sandboxes')).toMatchObject({
      status: 401,
      body: { message: 'API key is required' },
    });
    const bearer = { authorization: `Bearer ${key}` };
    expect(await stranger.call('GET', '/sandboxes', undefined, bearer)).toMatchObject({
      status: 401,
      body: { message: 'API key is required' },
    });
    const wrong = createBrimbleClient(`${server.address}/brimble`, `${key.slice(0, -1)}x`);
    expect(await wrong.call('GET', '/sandboxes')).toMatchObject({
      status: 401,
      body: { message: 'Invalid API key' },
    });
  });

  it('reads x-brimble-key alone, whatever comes beside it', async () => {
    const beside = { authorization: 'Bearer of something else' };
    expect((await brimble.call('GET', '/sandboxes', undefined, beside)).status).toBe(200);
  });

  it('answers at the root too, where the header is present', async () => {
    const root = createBrimbleClient(server.address, key);
    expect((await root.call('GET', '/sandbox/templates')).status).toBe(200);
    expect((await root.call('GET', `/sandboxes/${sandbox}`)).data.id).toBe(sandbox);
  });
});

describe('the catalogue', () => {
  it('lists templates in an object', async () => {
    const { status, body } = await brimble.call('GET', '/sandbox/templates');
    expect(status).toBe(200);
    expect(body.message).toBe('Templates fetched');
    expect(body.data.templates).toContainEqual({
      name: 'python-3.12',
      display_name: expect.any(String),
      description: expect.any(String),
    });
  });

  it('lists regions with the fields of both versions', async () => {
    const { status, data } = await brimble.call('GET', '/sandboxes/regions');
    expect(status).toBe(200);
    expect(data.regions).toEqual([
      {
        id: expect.stringMatching(id),
        name: 'local',
        country: 'local',
        continent: null,
        enabled: true,
        type: 'sandbox',
        provider: 'sandgate',
        is_paid: false,
      },
    ]);
  });
});

describe('sandboxes', () => {
  it('creates with everything that is asked for, and shows it', async () => {
    const made = await brimble.call('POST', '/sandboxes', {
      name: 'with-everything',
      template: 'python-3.12',
      teamId: null,
      region: 'auto',
      specs: { cpu: 500, memory: 512, disk: 1 },
      autoDestroy: true,
      destroyTimeout: '3h',
      blockOutbound: true,
      snapshotMode: 'automatic',
      snapshotFrequency: '0 3 * * *',
    });
    expect(made.status).toBe(201);
    expect(made.data).toEqual({
      id: expect.stringMatching(id),
      name: 'with-everything',
      template: 'python-3.12',
      status: 'ready',
      created_at: expect.stringMatching(time),
      expires_at: expect.stringMatching(time),
    });
    const { data } = await brimble.call('GET', `/sandboxes/${made.data.id}`);
    expect(data).toMatchObject({
      ...made.data,
      specs: { cpu: 500, memory: 512, disk: 1 },
      region: { name: 'local' },
      team: { id: expect.stringMatching(id) },
      project_environment: null,
      auto_destroy: true,
      destroy_timeout: '3h',
      one_shot: false,
      block_outbound: true,
      egress: { mode: 'deny_all' },
      persistent: false,
      persistent_disk_gb: null,
      paused_at: null,
      from_snapshot: null,
      snapshot_mode: 'automatic',
      snapshot_frequency: '0 3 * * *',
      destroyed_at: null,
      destroy_reason: null,
    });
    const again = await brimble.call('POST', '/sandboxes', { name: 'with-everything' });
    expect(again).toMatchObject({
      status: 400,
      body: { message: 'A sandbox named "with-everything" already exists' },
    });
    expect((await brimble.call('DELETE', `/sandboxes/${made.data.id}`)).status).toBe(204);
  });

  it('refuses what does not go together, all of it at once', async () => {
    const { status, body } = await brimble.call('POST', '/sandboxes', {
      autoDestroy: true,
      blockOutbound: true,
      egress: { mode: 'open' },
      persistent: true,
      volumeId: 'a'.repeat(24),
      snapshotMode: 'automatic',
      region: 'eu-west',
    });
    expect(status).toBe(400);
    for (const field of [
      'destroyTimeout',
      'blockOutbound',
      'persistentDiskGB',
      'volumeId',
      'snapshotFrequency',
    ]) {
      expect(body.message).toContain(field);
    }
    expect((await brimble.call('POST', '/sandboxes', { region: 'eu-west' })).status).toBe(400);
    expect((await brimble.call('POST', '/sandboxes', { template: 'cobol' })).status).toBe(400);
    expect((await brimble.call('POST', '/sandboxes', { specs: { cpu: 1.5 } })).status).toBe(400);
  });

  it('pages from the newest to the oldest', async () => {
    const others = [await create(), await create()];
    const first = await brimble.call('GET', '/sandboxes?page=1&limit=2');
    expect(first.body.message).toBe('Sandboxes fetched');
    expect(first.data).toMatchObject({ totalCount: 3, currentPage: 1, totalPages: 2, limit: 2 });
    expect(first.data.data.map((each: { id: string }) => each.id)).toEqual(others.toReversed());
    const second = await brimble.call('GET', '/sandboxes?page=2&limit=2');
    expect(second.data.data.map((each: { id: string }) => each.id)).toEqual([sandbox]);
    expect((await brimble.call('GET', '/sandboxes')).data.limit).toBe(15);
    for (const query of ['page=0', 'limit=101', 'limit=0', 'limit=x']) {
      expect((await brimble.call('GET', `/sandboxes?${query}`)).status).toBe(400);
    }
    const { name } = first.data.data[0];
    const found = await brimble.call('GET', `/sandboxes?search=${name}`);
    expect(found.data.totalCount).toBe(1);
    for (const each of others) await brimble.call('DELETE', `/sandboxes/${each}`);
  });

  it('says what is wrong with an id, and tells of nothing that is not there', async () => {
    expect(await brimble.call('GET', '/sandboxes/missing')).toMatchObject({
      status: 400,
      body: { message: 'Invalid sandbox id' },
    });
    const nobodys = 'f'.repeat(24);
    for (const [path, message] of [
      [`/sandboxes/${nobodys}`, 'Sandbox not found'],
      [`/sandboxes/${nobodys}/wait?timeout=1`, 'Sandbox not found'],
      [`/volumes/${nobodys}`, 'Volume not found'],
      [`/sandboxes?teamId=${nobodys}`, 'Team not found'],
    ] as const) {
      expect(await brimble.call('GET', path)).toMatchObject({ status: 404, body: { message } });
    }
    expect(await brimble.call('DELETE', `/sandboxes/snapshots/${nobodys}`)).toMatchObject({
      status: 404,
      body: { message: 'Snapshot not found' },
    });
    const twoTeams = `/sandboxes?teamId=${nobodys}&teamId=${'e'.repeat(24)}`;
    expect(await brimble.call('GET', twoTeams)).toMatchObject({
      status: 400,
      body: { message: 'teamId: is given more than once' },
    });
  });

  it('pauses and resumes at once after that, and refuses work meanwhile', async () => {
    const paused = await create();
    const at = `/sandboxes/${paused}`;
    expect(await brimble.call('POST', `${at}/pause`)).toMatchObject({
      status: 200,
      body: { message: 'Sandbox pause requested' },
    });
    const { data } = await brimble.call('GET', at);
    expect(data).toMatchObject({ status: 'paused', paused_at: expect.stringMatching(time) });
    expect(await brimble.call('POST', `${at}/pause`)).toMatchObject({
      status: 400,
      body: { message: 'Sandbox is paused; only ready sandboxes can be paused' },
    });
    expect(await brimble.call('POST', `${at}/exec`, { cmd: 'true' })).toMatchObject({
      status: 400,
      body: { message: 'Sandbox is paused; only ready sandboxes can run commands' },
    });
    expect(await brimble.call('POST', `${at}/resume`)).toMatchObject({
      status: 200,
      body: { message: 'Sandbox resume requested' },
    });
    expect((await brimble.call('GET', at)).data.status).toBe('ready');
    expect((await brimble.call('POST', `${at}/exec`, { cmd: 'true' })).status).toBe(200);
    await brimble.call('DELETE', at);
  });

  it('destroys as often as it is asked, remembers why, and waits for none that is destroyed', async () => {
    const gone = await create();
    expect(await brimble.call('DELETE', `/sandboxes/${gone}`)).toMatchObject({
      status: 204,
      text: '',
    });
    expect((await brimble.call('DELETE', `/sandboxes/${gone}`)).status).toBe(204);
    const { data } = await brimble.call('GET', `/sandboxes/${gone}`);
    expect(data).toMatchObject({
      status: 'destroyed',
      destroyed_at: expect.stringMatching(time),
      destroy_reason: 'user',
    });
    expect((await brimble.call('GET', `/sandboxes/${gone}/wait?timeout=1`)).status).toBe(400);
    expect((await brimble.call('POST', `/sandboxes/${gone}/exec`, { cmd: 'true' })).status).toBe(
      400,
    );
  });

  it('answers a wait at once when it is ready, and holds it while it is not', async () => {
    const ready = await brimble.call('GET', `/sandboxes/${sandbox}/wait?timeout=60&status=ready`);
    expect(ready).toMatchObject({ status: 200, data: { id: sandbox, status: 'ready' } });
    const paused = await create();
    await brimble.call('POST', `/sandboxes/${paused}/pause`);
    const startedMs = performance.now();
    const held = await brimble.call('GET', `/sandboxes/${paused}/wait?timeout=1`);
    expect(held).toMatchObject({ status: 200, data: { status: 'paused' } });
    expect(performance.now() - startedMs).toBeGreaterThan(900);
    const waiting = brimble.call('GET', `/sandboxes/${paused}/wait?timeout=20`);
    await brimble.call('POST', `/sandboxes/${paused}/resume`);
    expect((await waiting).data.status).toBe('ready');
    await brimble.call('DELETE', `/sandboxes/${paused}`);
  });

  it('switches egress, and takes only what belongs to the mode', async () => {
    const at = `/sandboxes/${sandbox}/egress`;
    for (const body of [
      { mode: 'restricted' },
      { mode: 'restricted', allow: [] },
      { mode: 'open', allow: ['example.com'] },
      { mode: 'sometimes' },
    ]) {
      expect((await brimble.call('PUT', at, body)).status).toBe(400);
    }
    const { status, body } = await brimble.call('PUT', at, { mode: 'deny_all' });
    expect({ status, body }).toMatchObject({
      status: 200,
      body: {
        message: 'Sandbox egress updated',
        data: { id: sandbox, block_outbound: true, network_updated: true },
      },
    });
  });

  it('shows stats of whole numbers', async () => {
    const { status, body } = await brimble.call('GET', `/sandboxes/${sandbox}/stats?hoursAgo=1`);
    expect(status).toBe(200);
    expect(body.message).toBe('Sandbox stats fetched');
    const { average, results, replicaCount, responseTime } = body.data;
    expect({ replicaCount, responseTime }).toEqual({ replicaCount: 1, responseTime: null });
    expect(Number.isInteger(average.memory.size) && Number.isInteger(average.cpu.size)).toBe(true);
    expect(average.network).toHaveProperty('bytesPerSecond');
    expect(results.at(-1)).toMatchObject({ date: expect.stringMatching(time) });
    expect((await brimble.call('GET', `/sandboxes/${sandbox}/stats?hoursAgo=0`)).status).toBe(400);
  });

  it('creates once for each idempotency key, path and body', async () => {
    const once = { 'idempotency-key': 'make-one' };
    const [first, second] = await Promise.all([
      brimble.call('POST', '/sandboxes', { name: 'once' }, once),
      brimble.call('POST', '/sandboxes', { name: 'once' }, once),
    ]);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(first.data.id).toBe(second.data.id);
    const replayed = [first, second].filter(({ headers }) => headers.has('idempotency-replayed'));
    expect(replayed).toHaveLength(1);
    const other = await brimble.call('POST', '/sandboxes', { name: 'another' }, once);
    expect(other.status).toBe(409);
    // The same key at another path is another request.
    const at = `/sandboxes/${first.data.id}`;
    expect((await brimble.call('DELETE', at, undefined, once)).status).toBe(204);
    expect((await brimble.call('DELETE', at, undefined, once)).status).toBe(204);
    // A refusal is not the last word.
    const retried = { 'idempotency-key': 'try-again' };
    const refused = await brimble.call('POST', '/sandboxes', { template: 'cobol' }, retried);
    expect(refused.status).toBe(400);
    const made = await brimble.call('POST', '/sandboxes', {}, retried);
    expect(made.status).toBe(201);
    await brimble.call('DELETE', `/sandboxes/${made.data.id}`);
  });
});

describe('commands', () => {
  const exec = async (body: Record<string, unknown>, path = 'exec') =>
    await brimble.call('POST', `/sandboxes/${sandbox}/${path}`, body);

  it('runs a line by a shell, in the root unless it is told where', async () => {
    const { status, body } = await exec({
      cmd: 'pwd; echo "$GREETING" >&2; exit 3',
      env: { GREETING: 'hé' },
      stream: false,
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      message: 'Exec completed',
      data: { stdout: '/\n', stderr: 'hé\n', exit_code: 3, duration_ms: expect.any(Number) },
    });
    expect(Number.isInteger(body.data.duration_ms)).toBe(true);
    expect((await exec({ cmd: 'pwd', cwd: '/tmp' })).data.stdout).toBe('/tmp\n');
  });

  it('kills at the limit, and says so', async () => {
    const { status, data } = await exec({ cmd: 'echo before; sleep 60', timeout_seconds: 1 });
    expect(status).toBe(200);
    expect(data).toMatchObject({ stdout: 'before\n', exit_code: 124 });
    expect(data.stderr).toContain('time limit of 1 seconds');
  });

  it('cuts long output, and says so', async () => {
    const { data } = await exec({ cmd: 'head -c 9000000 /dev/zero | tr "\\0" x; echo end >&2' });
    expect(data.truncated).toBe(true);
    expect(data.exit_code).toBe(0);
    expect(data.stdout.length).toBeLessThan(8_400_000);
    expect(data.stdout.slice(-100)).toContain('[output cut: ');
  });

  it('refuses limits, directories and names that cannot be', async () => {
    for (const body of [
      { cmd: '' },
      {},
      { cmd: 'true', timeout_seconds: 301 },
      { cmd: 'true', timeout_seconds: 0 },
      { cmd: 'true', cwd: 'tmp' },
      { cmd: 'true', env: { 'A B': 'c' } },
      { cmd: 'true', cwd: '/nowhere' },
    ]) {
      const { status, body: answer } = await exec(body);
      expect([status, typeof answer.message]).toEqual([400, 'string']);
    }
  });

  it('runs whole programs in Python, and leaves nothing behind', async () => {
    const python = await exec({ language: 'python', code: 'print(6 * 7)' }, 'code');
    expect(python).toMatchObject({ status: 200, data: { stdout: '42\n', exit_code: 0 } });
    const raised = await exec({ language: 'python', code: 'raise ValueError("no")' }, 'code');
    expect(raised.data.exit_code).toBe(1);
    expect(raised.data.stderr).toContain('ValueError: no');
    const slow = { language: 'python', code: 'import time; time.sleep(60)', timeout_seconds: 1 };
    expect((await exec(slow, 'code')).data.exit_code).toBe(124);
    expect((await exec({ cmd: 'ls /tmp/code-* 2>/dev/null | wc -l' })).data.stdout).toBe('0\n');
    expect((await exec({ language: 'cobol', code: 'x' }, 'code')).status).toBe(400);
  });

  it('runs whole programs in Node', async () => {
    const node = await create({ template: 'node-22' });
    const code = 'console.log(await Promise.resolve(42))';
    const answer = await brimble.call('POST', `/sandboxes/${node}/code`, {
      language: 'node',
      code,
    });
    expect(answer.data).toMatchObject({ stdout: '42\n', exit_code: 0 });
    await brimble.call('DELETE', `/sandboxes/${node}`);
  });
});

describe('streams', () => {
  const stream = async (body: Record<string, unknown>, agent = 'node', signal?: AbortSignal) =>
    await fetch(`${server.address}/brimble/sandboxes/${sandbox}/exec`, {
      method: 'POST',
      headers: brimble.headers({ 'content-type': 'application/json', 'user-agent': agent }),
      body: JSON.stringify({ stream: true, ...body }),
      ...(signal === undefined ? {} : { signal }),
    });

  it('sends ASCII events, each on one line, uncompressed, with the end last', async () => {
    const response = await stream({
      cmd: 'printf "äöü\\r\\n\\342\\202\\254"; echo 世界 >&2; exit 4',
    });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(response.headers.get('content-encoding')).toBeNull();
    const { text, events, blocks } = await readEvents(response);
    expect(text).toMatch(/^[\n\x20-\x7e]*$/);
    for (const block of blocks) expect(block).toMatch(/^(data: \{.*\}|: .*)$/);
    const of = (type: string) =>
      events
        .filter((event) => event.type === type)
        .map(({ data }) => data)
        .join('');
    expect(of('stdout')).toBe('äöü\r\n€');
    expect(of('stderr')).toBe('世界\n');
    expect(events.at(-1)).toEqual({
      type: 'done',
      exit_code: 4,
      duration_ms: expect.any(Number),
    });
  });

  it('sends whole blocks to a client that reads in blocks', async () => {
    const response = await stream({ cmd: 'echo one; sleep 0.2; echo two' }, 'python-requests/2.32');
    const { text, events } = await readEvents(response);
    expect(text.length % 4_096).toBe(0);
    for (const { data } of events.slice(0, -1)) {
      const end = text.indexOf(JSON.stringify(data)) + JSON.stringify(data).length;
      // What follows an event fills its block.
      const edge = Math.ceil(end / 4_096) * 4_096;
      expect(text.slice(end, edge)).toMatch(/^\}\n\n(: *\n\n)?$/);
    }
  });

  it.each(['node', 'python-requests/2.32'])(
    'sends each event when it happens to %s',
    async (agent) => {
      const response = await stream(
        { cmd: 'echo one; while [ ! -e /tmp/go ]; do sleep 0.02; done; rm /tmp/go; echo two' },
        agent,
      );
      const reader = response.body?.getReader();
      let seen = '';
      const readUntil = async (text: string) => {
        while (!seen.includes(text)) {
          const { value, done } = (await reader?.read()) ?? { done: true };
          if (done) throw new Error(`The stream ended without ${text}.`);
          seen += Buffer.from(value ?? []).toString();
        }
      };
      await readUntil('one');
      await brimble.call('POST', `/sandboxes/${sandbox}/exec`, { cmd: 'touch /tmp/go' });
      await readUntil('two');
      await readUntil('done');
    },
  );

  it('tells of a refusal by a status, before there is a stream', async () => {
    const response = await stream({ cmd: 'true', cwd: '/nowhere' });
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('application/json');
    await response.text();
  });

  const isGone = async (pid: string) => {
    const cmd = `while kill -0 ${pid} 2>/dev/null; do sleep 0.02; done; echo gone`;
    const { data } = await brimble.call('POST', `/sandboxes/${sandbox}/exec`, { cmd });
    return data.stdout === 'gone\n';
  };

  it('ends a command that is waited for when the client goes away', async () => {
    const leaving = new AbortController();
    const left = fetch(`${server.address}/brimble/sandboxes/${sandbox}/exec`, {
      method: 'POST',
      headers: brimble.headers({ 'content-type': 'application/json' }),
      body: JSON.stringify({ cmd: 'echo $$ >/tmp/pid; while true; do sleep 0.05; done' }),
      signal: leaving.signal,
    }).catch(() => 'left');
    const wait = { cmd: 'while [ ! -s /tmp/pid ]; do sleep 0.02; done; cat /tmp/pid' };
    const { data } = await brimble.call('POST', `/sandboxes/${sandbox}/exec`, wait);
    leaving.abort();
    expect(await left).toBe('left');
    expect(await isGone(data.stdout.trim())).toBe(true);
  });

  it('ends the command of a stream when the client goes away', async () => {
    const leaving = new AbortController();
    const response = await stream(
      { cmd: 'echo $$; while true; do sleep 0.05; done' },
      'node',
      leaving.signal,
    );
    const reader = response.body?.getReader();
    let seen = '';
    while (!seen.includes('stdout')) {
      const { value } = (await reader?.read()) ?? {};
      seen += Buffer.from(value ?? []).toString();
    }
    const pid = /"data":"(\d+)/.exec(seen)?.[1] ?? '';
    leaving.abort();
    expect(await isGone(pid)).toBe(true);
  });
});

describe('files', () => {
  const at = (path: string) => `${server.address}/brimble/sandboxes/${sandbox}/files/${path}`;
  const put = async (path: string, body: RequestInit['body'] & {}, more: RequestInit = {}) =>
    await fetch(at(path), {
      method: 'PUT',
      headers: brimble.headers({ 'content-type': 'application/octet-stream' }),
      body,
      ...more,
    });
  const get = async (path: string) => await fetch(at(path), { headers: brimble.headers() });
  const message = async (response: Response) =>
    ((await response.json()) as { message: string }).message;

  it('puts and gets bytes as they are, also none', async () => {
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 256));
    const stored = await put('tmp/bytes', bytes);
    expect([stored.status, await stored.text()]).toEqual([204, '']);
    const read = await get('tmp/bytes');
    expect(read.headers.get('content-type')).toBe('application/octet-stream');
    expect(Buffer.from(await read.arrayBuffer()).equals(bytes)).toBe(true);
    expect((await put('tmp/empty', '')).status).toBe(204);
    const empty = await get('tmp/empty');
    expect([empty.status, await empty.text()]).toEqual([200, '']);
  });

  it('decodes each segment once, and takes a plus for a plus', async () => {
    const exec = async (cmd: string) =>
      (await brimble.call('POST', `/sandboxes/${sandbox}/exec`, { cmd })).data.stdout;
    await exec('mkdir -p "/tmp/a b+c%"');
    expect((await put("tmp//a%20b+c%25/%E4%B8%96!'()*&=:@$", 'x')).status).toBe(204);
    expect(await exec('ls "/tmp/a b+c%"')).toBe("世!'()*&=:@$\n");
    expect((await put('tmp/%252e%252e', 'dots')).status).toBe(204);
    expect(await exec('cat /tmp/%2e%2e')).toBe('dots');
  });

  it('refuses what leads elsewhere, in whatever form it comes', async () => {
    const raw = async (path: string) =>
      await sendRaw(
        server.address,
        [
          `PUT /brimble/sandboxes/${sandbox}/files/${path} HTTP/1.1`,
          `x-brimble-key: ${key}`,
          'content-length: 1',
        ],
        'x',
      );
    for (const path of [
      'tmp/../../../volumes',
      'tmp/%2e%2e/x',
      'tmp/./x',
      'tmp%2Fx',
      '..',
      'tmp/%00',
      'tmp/%ff',
      '%zz',
    ]) {
      const { text } = await raw(path);
      expect([path, text.slice(0, 12)]).toEqual([path, 'HTTP/1.1 400']);
    }
    // Collapsed before it was sent, as two of the clients do.
    const collapsed = await fetch(`${server.address}/brimble/sandboxes/volumes`, {
      method: 'PUT',
      headers: brimble.headers(),
      body: 'x',
    });
    expect(collapsed.status).toBe(405);
    expect(typeof (await message(collapsed))).toBe('string');
  });

  it('says where it cannot write and what it cannot read, in the documented words', async () => {
    const nowhere = await put('work/x', 'x');
    expect([nowhere.status, await message(nowhere)]).toEqual([
      400,
      'Destination directory does not exist: /work',
    ]);
    const denied = await put('usr/bin/env', 'x');
    expect([denied.status, await message(denied)]).toEqual([
      403,
      'Permission denied writing to /usr/bin/env',
    ]);
    expect((await get('tmp/nothing-there')).status).toBe(404);
    expect((await get('tmp')).status).toBe(400);
  });

  it('takes 50 MB and no more, by the stated length and by counting', async () => {
    const tooMuch = 50 * 1_048_576 + 1;
    const stated = await sendRaw(server.address, [
      `PUT /brimble/sandboxes/${sandbox}/files/tmp/large HTTP/1.1`,
      `x-brimble-key: ${key}`,
      `content-length: ${tooMuch}`,
    ]);
    expect(stated.text.slice(0, 12)).toBe('HTTP/1.1 413');
    async function* chunks() {
      for (let sent = 0; sent < tooMuch; sent += 1_048_576) yield Buffer.alloc(1_048_576);
    }
    const counted = await put('tmp/large', ReadableStream.from(chunks()), {
      duplex: 'half',
    } as RequestInit).then(
      ({ status }) => status,
      // Told before all of it was sent.
      () => 'broken off',
    );
    expect([413, 'broken off']).toContain(counted);
    expect((await get('tmp/large')).status).toBe(404);
    const most = await put('tmp/most', Buffer.alloc(tooMuch - 1));
    expect(most.status).toBe(204);
    expect((await (await get('tmp/most')).arrayBuffer()).byteLength).toBe(tooMuch - 1);
    await brimble.call('POST', `/sandboxes/${sandbox}/exec`, { cmd: 'rm /tmp/most' });
  });

  it('puts several, and says of each what became of it', async () => {
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const { status, data } = await brimble.call('POST', `/sandboxes/${sandbox}/files/batch`, {
      files: [
        { path: '/tmp/one', content_base64: base64('one') },
        { path: 'tmp/batch', content_base64: base64('two') },
        { path: '/tmp/../etc/x', content_base64: base64('x') },
        { path: '/work/x', content_base64: base64('x') },
        { path: '/usr/bin/env', content_base64: base64('x') },
        { path: '/tmp/odd', content_base64: 'not base64!' },
      ],
    });
    expect(status).toBe(200);
    expect(data).toEqual({
      uploaded: 2,
      failed: 4,
      results: [
        { path: '/tmp/one', bytes: 3, success: true },
        { path: 'tmp/batch', bytes: 3, success: true },
        { path: '/tmp/../etc/x', bytes: 0, success: false, error: expect.stringContaining('..') },
        {
          path: '/work/x',
          bytes: 0,
          success: false,
          error: 'Destination directory does not exist: /work',
        },
        {
          path: '/usr/bin/env',
          bytes: 0,
          success: false,
          error: 'Permission denied writing to /usr/bin/env',
        },
        { path: '/tmp/odd', bytes: 0, success: false, error: 'content_base64 is not base64' },
      ],
    });
    // A file of that name is a file.
    expect(await (await get('tmp/batch')).text()).toBe('two');
    const none = await brimble.call('POST', `/sandboxes/${sandbox}/files/batch`, { files: [] });
    expect(none.status).toBe(400);
  });
});

describe('snapshots', () => {
  it('begins one, refuses a second meanwhile, lists it, and starts from it', async () => {
    const source = await create();
    const at = `/sandboxes/${source}`;
    await brimble.call('POST', `${at}/exec`, { cmd: 'echo kept >/workspace/kept' });
    const begun = await brimble.call('POST', `${at}/snapshots`, { name: 'first' });
    expect(begun).toMatchObject({ status: 202, body: { message: 'Snapshot creation started' } });
    expect(begun.data).toEqual({
      id: expect.stringMatching(id),
      sandbox_id: source,
      name: 'first',
      image_tag: `snapshot-${begun.data.id}`,
      source_template: expect.any(String),
      status: 'creating',
      failure_reason: null,
      size_bytes: null,
      created_at: expect.stringMatching(time),
      expires_at: null,
    });
    const listed = async (path: string) =>
      (await brimble.call('GET', path)).data.data.find(
        (each: { id: string }) => each.id === begun.data.id,
      );
    await expect.poll(async () => (await listed(`${at}/snapshots`)).status).toBe('ready');
    const ready = await listed('/sandboxes/snapshots?page=1&limit=15');
    expect(ready.size_bytes).toBeGreaterThan(0);
    const twice = await brimble.call('POST', `${at}/snapshots`, { name: 'first' });
    expect(twice.status).toBe(400);
    expect((await brimble.call('POST', `${at}/snapshots`, { name: 'No!' })).status).toBe(400);
    const restored = await create({ fromSnapshot: begun.data.id, template: 'node-22' });
    const read = await brimble.call('POST', `/sandboxes/${restored}/exec`, {
      cmd: 'cat /workspace/kept',
    });
    expect(read.data.stdout).toBe('kept\n');
    expect((await brimble.call('GET', `/sandboxes/${restored}`)).data).toMatchObject({
      from_snapshot: begun.data.id,
      template: ready.source_template,
    });
    expect((await brimble.call('DELETE', `/sandboxes/snapshots/${begun.data.id}`)).status).toBe(
      204,
    );
    for (const each of [source, restored]) await brimble.call('DELETE', `/sandboxes/${each}`);
  });
});

describe('volumes', () => {
  it('outlive their sandboxes, and are attached to one at a time', async () => {
    const made = await brimble.call('POST', '/volumes', {
      name: 'node-cache',
      sizeGB: 10,
      region: 'auto',
      type: 'sandbox',
      teamId: null,
    });
    expect(made).toMatchObject({ status: 201, body: { message: 'Volume created' } });
    const { id: volumeId } = made.data;
    expect(made.data).toMatchObject({
      id: expect.stringMatching(id),
      name: 'node-cache',
      type: 'sandbox',
      size: 10,
      csi_volume_id: volumeId,
      volume_handle: volumeId,
      attached_sandbox_id: null,
      mount_path: null,
    });
    const twice = { name: 'node-cache', sizeGB: 10 };
    expect(await brimble.call('POST', '/volumes', twice)).toMatchObject({
      status: 400,
      body: { message: 'A volume named "node-cache" already exists' },
    });
    const user = await create({ volumeId, mountPath: '/data' });
    await brimble.call('POST', `/sandboxes/${user}/exec`, { cmd: 'echo kept >/data/kept' });
    expect((await brimble.call('GET', `/volumes/${volumeId}`)).data).toMatchObject({
      attached_sandbox_id: user,
      mount_path: '/data',
      last_attached_at: expect.stringMatching(time),
    });
    expect((await brimble.call('GET', `/sandboxes/${user}`)).data).toMatchObject({
      persistent: true,
      persistent_disk_gb: 10,
    });
    expect(await brimble.call('DELETE', `/volumes/${volumeId}`)).toMatchObject({
      status: 400,
      body: { message: 'Volume is attached; detach it before deleting' },
    });
    expect((await brimble.call('POST', '/sandboxes', { volumeId })).status).toBe(400);
    await brimble.call('DELETE', `/sandboxes/${user}`);
    const next = await create({ volumeId });
    const read = await brimble.call('POST', `/sandboxes/${next}/exec`, {
      cmd: 'cat /workspace/kept',
    });
    expect(read.data.stdout).toBe('kept\n');
    await brimble.call('DELETE', `/sandboxes/${next}`);
    expect((await brimble.call('DELETE', `/volumes/${volumeId}`)).status).toBe(204);
    for (const body of [
      { name: 'x', sizeGB: 9 },
      { name: 'X', sizeGB: 10 },
    ]) {
      expect((await brimble.call('POST', '/volumes', body)).status).toBe(400);
    }
  });

  it('come with a sandbox that asks for one, and stay when it is gone', async () => {
    const owner = await create({ persistent: true, persistentDiskGB: 10 });
    const { data } = await brimble.call('GET', '/volumes?page=1&limit=15');
    expect(data.data).toHaveLength(1);
    expect(data.data[0]).toMatchObject({ attached_sandbox_id: owner, mount_path: '/workspace' });
    await brimble.call('DELETE', `/sandboxes/${owner}`);
    const { id: volumeId } = data.data[0];
    expect((await brimble.call('GET', `/volumes/${volumeId}`)).data.attached_sandbox_id).toBeNull();
    expect((await brimble.call('DELETE', `/volumes/${volumeId}`)).status).toBe(204);
    // What could not be started leaves no volume either.
    const refused = { persistent: true, persistentDiskGB: 10, template: 'cobol' };
    expect((await brimble.call('POST', '/sandboxes', refused)).status).toBe(400);
    expect((await brimble.call('GET', '/volumes')).data.totalCount).toBe(0);
  });
});

describe('the form of answers', () => {
  it('sends a create in one small write of known length', async () => {
    const body = JSON.stringify({});
    const { text, pieces } = await sendRaw(
      server.address,
      [
        'POST /brimble/sandboxes HTTP/1.1',
        `x-brimble-key: ${key}`,
        'content-type: application/json',
        `content-length: ${body.length}`,
      ],
      body,
    );
    expect(pieces).toHaveLength(1);
    expect(text.length).toBeLessThan(4_096);
    expect(text.toLowerCase()).toContain('\r\ncontent-length: ');
    expect(text.toLowerCase()).not.toContain('transfer-encoding');
    const made = JSON.parse(text.slice(text.indexOf('\r\n\r\n')));
    await brimble.call('DELETE', `/sandboxes/${made.data.id}`);
  });

  it('gives every failure a message, JSON, a request id, and never an odd phrase', async () => {
    for (const [method, path] of [
      ['GET', '/nothing'],
      ['PATCH', '/sandboxes'],
      ['GET', '/sandboxes/x'],
      ['POST', `/sandboxes/${sandbox}/exec`],
    ] as const) {
      const { status, body, headers, text } = await brimble.call(method, path);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(headers.get('content-type')).toContain('application/json');
      expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
      expect(body.message.length).toBeGreaterThan(0);
      expect(text.toLowerCase()).not.toContain('oops not authenticated');
    }
  });
});
