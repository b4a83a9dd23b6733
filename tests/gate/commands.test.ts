import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { type ExecOutcome, type ExecRequest, SandgateError } from '@sandgate/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { bearer, call, createGateUnderTest, type Generation } from './gate-under-test.ts';

const folder = temporaryFolder();
const script = new URL('stdio-server.py', import.meta.url).pathname;
/** Without what takes Python long to start. */
const command = ['python3', '-E', '-S', script];
const canary = 'the-token-of-the-command';
let gate: Awaited<ReturnType<typeof createGateUnderTest>>;
/** Ends of the processes that were begun. */
const running = new Set<Promise<ExecOutcome>>();

/** In the place of a sandbox: what is asked of it is run as it is. */
async function run({ argv, environment, stdin, signal, onOutput, onStarted }: ExecRequest) {
  const [program = '', ...words] = argv;
  const child = spawn(program, words, { env: { PATH: process.env.PATH, ...environment }, signal });
  const closed = once(child, 'close').catch((error) => [null, error.code]);
  onStarted?.({ signal: (name) => void child.kill(name) });
  const pump = async (stream: 'stdout' | 'stderr') => {
    for await (const data of child[stream]) await onOutput({ stream, data });
  };
  const feed = async () => {
    if (stdin !== undefined && Symbol.asyncIterator in stdin) {
      for await (const piece of stdin) child.stdin.write(piece);
    }
    child.stdin.end();
  };
  child.stdin.on('error', () => undefined);
  void feed();
  await Promise.allSettled([pump('stdout'), pump('stderr')]);
  const [exitCode, failure] = await closed;
  if (failure === 'ENOENT') throw new SandgateError('command_not_found', `No ${program} here`);
  return signal?.aborted || exitCode === null
    ? ({ kind: 'aborted' } as const)
    : ({ kind: 'exited', exitCode } as const);
}

beforeAll(async () => {
  gate = await createGateUnderTest(folder, { policy: { maxSandboxes: 20 } });
  gate.test.engine.onExec = (request) => {
    const ended = run(request);
    running.add(ended);
    const done = () => void running.delete(ended);
    ended.then(done, done);
    return ended;
  };
  await register('notes', { environment: { TOKEN: canary } });
});
afterEach(async () => {
  expect(gate.test.backgroundErrors).toEqual([]);
});
afterAll(async () => {
  await gate.close();
  gate.test.timers.pass();
  await Promise.all(running);
});

const api = (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object) =>
  gate.test.api(method, `/mcp-servers${path}`, gate.manager, body);

async function register(name: string, settings: object = {}): Promise<void> {
  const made = await api('POST', '', { name, command, ...settings });
  expect(made.status, made.text).toBe(200);
}

const textOf = ({ content }: { content?: unknown }) =>
  (content as { text: string }[] | undefined)?.[0]?.text;

const use = async (client: Awaited<ReturnType<typeof gate.connect>>, name: string, input = {}) =>
  await client.callTool({ name, arguments: input });

const sandboxesOf = async (name: string) => {
  const { body } = await gate.test.api('GET', `/sandboxes?label=mcp-server=${name}`, gate.manager);
  return body.sandboxes as { id: string; state: string; labels: object; env_names: string[] }[];
};

/** What its owner reads of it. */
const logOf = async (name: string): Promise<string> => {
  const [box] = await sandboxesOf(name);
  const log = await gate.test.logs.read(box?.id ?? '', { fromByte: 0, maxBytes: 1_000_000 });
  return log.data.toString();
};

const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await condition())) await turn();
};

/** Time goes on, and what looks after commands comes by until that is so. */
async function pass(ms: number, condition: () => Promise<boolean>): Promise<void> {
  gate.test.clock.currentMs += ms;
  await until(async () => {
    gate.test.timers.pass();
    return await condition();
  });
}

describe.each<[string, Generation]>([
  ['before 2026-07-28', 'legacy'],
  ['of 2026-07-28', { pin: '2026-07-28' }],
])('the official client %s', (_, mode) => {
  it('calls tools of a command, with progress as it comes and within the rights of its key', async () => {
    const { text, key } = await gate.issue({
      restrictions: { mcpTools: ['notes/echo', 'notes/count'] },
    });
    const client = await gate.connect('notes', bearer(text), mode);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['echo', 'count']);
    expect(textOf(await use(client, 'echo', { text: 'hé' }))).toBe('hé');
    const progress: number[] = [];
    const counted = await client.callTool(
      { name: 'count', arguments: {} },
      { onprogress: (each) => void progress.push(each.progress) },
    );
    expect([textOf(counted), progress]).toEqual(['counted', [1, 2, 3]]);
    expect((await use(client, 'secret')).isError).toBe(true);
    const endpoints = (await gate.usageOf(key.number)).map(({ endpoint }) => endpoint);
    expect(endpoints).toContain('/mcp/servers/notes#echo');
  });
});

it('a command asks its client, and each session has a process of its own', async () => {
  const client = await gate.connect('notes', bearer(gate.manager));
  expect(textOf(await use(client, 'ask'))).toBe('answered');
  const other = await gate.connect('notes', bearer(gate.manager));
  const [first, again, second] = [
    textOf(await use(client, 'process')),
    textOf(await use(client, 'process')),
    textOf(await use(other, 'process')),
  ];
  expect(again).toBe(first);
  expect(second).not.toBe(first);
  expect(await sandboxesOf('notes')).toMatchObject([
    { state: 'ready', labels: { 'mcp-server': 'notes' }, env_names: [] },
  ]);
  await client.close();
  await other.close();
});

/** A session without a client that would begin another one by itself. */
async function begin(name: string, key = gate.manager) {
  const initialize = {
    jsonrpc: '2.0',
    id: 0,
    method: 'initialize',
    params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test' } },
  };
  const begun = await gate.send(name, bearer(key), { body: initialize });
  expect(begun.status, await begun.text()).toBe(200);
  const headers = { ...bearer(key), 'mcp-session-id': begun.headers.get('mcp-session-id') ?? '' };
  return {
    headers,
    async use(tool: string, id: number, input: object = {}) {
      const answer = await gate.send(name, headers, { body: call(tool, input, id) });
      const body = await answer.text();
      return { status: answer.status, text: body, type: answer.headers.get('content-type') };
    },
  };
}

describe('the environment of a command', () => {
  it('is used, and shown to nobody but its owner in what the command writes of it', async () => {
    const session = await begin('notes');
    const used = await session.use('secret', 1);
    expect(used.text).toContain(`"${canary.length}"`);
    const shown = await api('GET', '/notes');
    expect(shown.body).toMatchObject({
      ...{ url: null, command, template: null, egress: null },
      ...{ environment_names: ['TOKEN'], environment_outdated: false },
    });
    const seen = [used.text, shown.text, (await api('GET', '')).text];
    seen.push(JSON.stringify(await sandboxesOf('notes')));
    for (const text of seen) expect(text).not.toContain(canary);
    for (const suffix of ['', '-wal']) {
      expect(readFileSync(`${gate.test.file}${suffix}`).includes(canary)).toBe(false);
    }
    await until(async () => (await logOf('notes')).includes(`used ${canary}`));
    expect(await logOf('notes')).toContain('Welcome');
  });

  it('goes to no other command than it was given for', async () => {
    await register('moved', { environment: { A: canary, B: '2' } });
    for (const change of [
      { command: ['env'] },
      { template: 'node' },
      { egress: { mode: 'open' } },
      { command: ['env'], environment: { B: '3' } },
    ]) {
      const refused = await api('PATCH', '/moved', change);
      expect([refused.status, refused.text]).toEqual([
        400,
        expect.stringContaining('given for another command'),
      ]);
    }
    const environment = { A: null, B: '3', C: '4' };
    const moved = await api('PATCH', '/moved', { command: ['env'], environment });
    expect(moved.body).toMatchObject({ command: ['env'], environment_names: ['B', 'C'] });
    const same = await api('PATCH', '/moved', { authentication: false });
    expect(same.body).toMatchObject({ environment_names: ['B', 'C'], authentication: false });
  });
});

it.each([
  [{ command: [] }, 'names no program'],
  [{ command: ['a', `msb_${'0'.repeat(48)}`] }, 'API key'],
  [{ command: ['a\0b'] }, 'NUL'],
  [{ command: undefined }, 'the one or the other'],
  [{ url: 'https://mcp.example.com/mcp' }, 'the one or the other'],
  [{ headers: { a: 'b' } }, 'is for an MCP server with an address'],
  [{ health_path: '/health' }, 'is for an MCP server with an address'],
  [{ environment: { 'a b': 'c' } }, 'not a name'],
  [{ egress: { mode: 'restricted', allow: ['not a host'] } }, 'not a host'],
])('a command with %j is refused: %s', async (given, problem) => {
  const answer = await api('POST', '', { name: 'judged', command: ['a'], ...given });
  expect([answer.status, answer.text]).toEqual([400, expect.stringContaining(problem)]);
});

it.each([
  [{ scopes: ['workspace:manage', 'sandbox:write'] }, 'sandbox:exec'],
  [{ scopes: ['workspace:manage', 'sandbox:exec'] }, 'sandbox:write'],
  [{ restrictions: { sandboxNamePrefix: 'job-' } }, 'restricted to some sandboxes'],
] as const)('a key with %j can say nothing of what runs: %s', async (rights, problem) => {
  const { text } = await gate.issue(rights);
  for (const [method, path, more] of [
    ['POST', '/mcp-servers', { name: 'judged' }],
    ['PATCH', '/mcp-servers/notes', {}],
  ] as const) {
    const refused = await gate.test.api(method, path, text, { command: ['env'], ...more });
    expect([refused.status, refused.text]).toEqual([403, expect.stringContaining(problem)]);
  }
});

describe('what a command does wrong', () => {
  it.each([
    ['die', 'ended with exit code 3'],
    ['babble', 'does not speak MCP'],
    ['flood', 'a line of more than'],
  ])('%s is told to its callers, and the next session has another process', async (tool, why) => {
    const session = await begin('notes');
    const failed = await session.use(tool, 1);
    expect([failed.status, failed.text]).toEqual([200, expect.stringContaining(why)]);
    expect(JSON.parse(failed.text).result.isError).toBe(true);
    const after = await session.use('echo', 2, { text: 'x' });
    expect([after.status, after.text]).toEqual([404, expect.stringContaining('Begin a new')]);
    expect(after.text).toContain(why);
    const next = await begin('notes');
    expect((await next.use('echo', 1, { text: 'back' })).text).toContain('back');
  });

  it('one that never stops to tell what nobody hears is ended', async () => {
    const session = await begin('notes');
    expect((await session.use('shout', 1)).text).toContain('begun');
    await until(async () => {
      const body = { jsonrpc: '2.0', method: 'notifications/initialized' };
      const told = await gate.send('notes', session.headers, { body });
      return (await told.text()).includes('more than anybody hears');
    });
  });

  it('an id that nests deeply is no message, and the session goes on', async () => {
    const session = await begin('notes');
    expect((await session.use('nest', 1)).text).toContain('nested');
  });

  it('a program that is not there is told of, and more to its owner', async () => {
    await register('absent', { command: ['/nowhere/program'] });
    const answer = await gate.send('absent', bearer(gate.manager), {
      body: { jsonrpc: '2.0', id: 1, method: 'initialize', params: {} },
    });
    expect(JSON.parse(await answer.text()).error.message).toMatch(/its command cannot be started$/);
    await until(async () => (await logOf('absent')).includes('No /nowhere/program here'));
  });
});

it('a client that goes away has its call cancelled in the command', async () => {
  const session = await begin('notes');
  const left = new AbortController();
  const gone = Promise.resolve(
    gate.test.app.request('/mcp/servers/notes', {
      method: 'POST',
      headers: {
        ...session.headers,
        'content-type': 'application/json',
        accept: 'application/json',
      },
      body: JSON.stringify(call('wait', {}, 7)),
      signal: left.signal,
    }),
  );
  await until(async () => (await logOf('notes')).includes('waiting'));
  left.abort();
  await gone.catch(() => undefined);
  await until(async () => (await logOf('notes')).includes('"requestId": 7'));
  expect((await session.use('echo', 8, { text: 'on' })).text).toContain('on');
});

it.each([
  ['switched off', () => api('PATCH', '/leaving', { enabled: false })],
  ['changed', () => api('PATCH', '/leaving', { environment: { TOKEN: 'another' } })],
  ['removed', () => api('DELETE', '/leaving')],
])('is not run for a request whose body came after it was %s', async (_, change) => {
  await register('leaving', { environment: { TOKEN: canary } });
  const text = JSON.stringify(call('echo', { text: 'x' }));
  const pipe = new TransformStream<Uint8Array, Uint8Array>();
  const writer = pipe.writable.getWriter();
  const answer = gate.test.app.request('/mcp/servers/leaving', {
    method: 'POST',
    headers: {
      ...bearer(gate.manager),
      'content-type': 'application/json',
      'mcp-protocol-version': '2026-07-28',
    },
    body: pipe.readable,
    duplex: 'half',
  } as RequestInit);
  // It is read only when the server was found.
  await writer.write(Buffer.from(text.slice(0, 9)));
  gate.test.clock.currentMs += 1;
  expect((await change()).status).toBeLessThan(300);
  void writer.write(Buffer.from(text.slice(9)));
  void writer.close();
  expect(await (await answer).text()).toContain('was changed or removed. Call again');
  expect(await sandboxesOf('leaving')).toEqual([]);
  await api('DELETE', '/leaving');
});

describe('sessions', () => {
  it('belong to the key that began them, and to its workspace', async () => {
    const session = await begin('notes');
    const other = (await gate.issue()).text;
    const stranger = (await gate.test.issue({ namespace: 'other' })).text;
    for (const key of [other, stranger]) {
      const headers = { ...session.headers, ...bearer(key) };
      const answer = await gate.send('notes', headers, { body: call('echo', { text: 'x' }) });
      expect(await answer.text()).toMatch(/not found/);
    }
    const closed = await gate.send('notes', session.headers, { method: 'DELETE' });
    expect(closed.status).toBe(204);
    expect((await session.use('echo', 1, { text: 'x' })).status).toBe(404);
  });

  it('beyond the most make place, the one that was idle longest first', async () => {
    await register('few');
    const sessions = [];
    for (let number = 0; number < 4; number += 1) {
      gate.test.clock.currentMs += 1;
      sessions.push(await begin('few'));
    }
    const statuses = [];
    for (const session of sessions) {
      statuses.push((await session.use('echo', 1, { text: 'x' })).status);
    }
    expect(statuses).toEqual([404, 200, 200, 200]);
  });

  it('end when they are idle, and their sandbox with them', async () => {
    await register('idle');
    const session = await begin('idle');
    // The end of one that is not used tells when the other was looked at.
    await register('watched');
    await begin('watched');
    gate.test.clock.currentMs += 200_000;
    expect((await session.use('echo', 1, { text: 'x' })).status).toBe(200);
    await pass(200_000, async () => (await sandboxesOf('watched')).length === 0);
    expect((await session.use('echo', 1, { text: 'x' })).status).toBe(200);
    await pass(600_000, async () => (await sandboxesOf('idle')).length === 0);
    expect((await session.use('echo', 2, { text: 'x' })).status).toBe(404);
  });

  it.each([
    ['switched off', () => api('PATCH', '/changing', { enabled: false })],
    ['changed', () => api('PATCH', '/changing', { allowed_origins: ['*'] })],
    ['removed', () => api('DELETE', '/changing')],
  ])('end when their server is %s, and its sandbox with them', async (_, change) => {
    await register('changing');
    await begin('changing');
    expect(await sandboxesOf('changing')).toHaveLength(1);
    gate.test.clock.currentMs += 1;
    await change();
    await pass(5_000, async () => (await sandboxesOf('changing')).length === 0);
    await api('DELETE', '/changing');
  });

  it('have a new sandbox when theirs was destroyed', async () => {
    await register('lost');
    await begin('lost');
    const [box] = await sandboxesOf('lost');
    await gate.test.api('DELETE', `/sandboxes/${box?.id}`, gate.manager);
    const session = await begin('lost');
    expect((await session.use('echo', 1, { text: 'here' })).text).toContain('here');
    const [next] = await sandboxesOf('lost');
    expect(next?.id).not.toBe(box?.id);
  });
});

it('tells messages whole that have carriage returns in them', async () => {
  const session = await begin('notes');
  const { text, type } = await session.use('return', 1);
  expect(type).toContain('text/event-stream');
  expect(text).not.toContain('\r');
  const events = text.trim().split('\n\n');
  const messages = events.map((event) => JSON.parse(/^data: (.*)$/m.exec(event)?.[1] ?? ''));
  expect(messages).toMatchObject([{ params: { data: 'x' } }, { id: 1 }]);
});

it('hears what a command says beside its answers by one stream for each session', async () => {
  const session = await begin('notes');
  const listening = await gate.send('notes', session.headers, { method: 'GET' });
  expect(listening.headers.get('content-type')).toBe('text/event-stream');
  const second = await gate.send('notes', session.headers, { method: 'GET' });
  expect(second.status).toBe(409);
  await gate.send('notes', session.headers, { method: 'DELETE' });
  await expect(listening.text()).rejects.toThrow();
});
