import { SandgateError } from '@sandgate/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createTestApp, type TestApp } from '../support/test-app.ts';

const folder = temporaryFolder();
let test: TestApp;
let key: string;

beforeEach(async () => {
  test = await createTestApp(folder);
  key = (await test.issue()).text;
});

const call = (method: string, params: unknown) => test.call(method, params, key);
const startWith = (config: unknown) => call('sandbox.start', { sandbox: 'env', config });

describe('names', () => {
  it.each([
    ['', 'Sandbox name cannot be empty'],
    ['a'.repeat(64), 'Sandbox name cannot exceed 63 characters'],
    ['é', 'Sandbox name can only contain alphanumeric characters, hyphens, or underscores'],
    ['a b', 'Sandbox name can only contain alphanumeric characters, hyphens, or underscores'],
    ['-a', 'Sandbox name must start with an alphanumeric character'],
    [
      'events',
      'Sandbox name cannot be "events": its address is that of something else. Take another name',
    ],
  ])('of a sandbox: %j is refused with its message', async (sandbox, message) => {
    expect(await call('sandbox.start', { sandbox })).toMatchObject({
      status: 400,
      body: { error: message, code: 2001 },
    });
  });

  it('of a namespace are judged alike, and * is no name', async () => {
    const answers = await Promise.all(
      ['', '_a', '*'].map((namespace) => call('sandbox.start', { sandbox: 'a', namespace })),
    );
    expect(answers.map(({ body }) => body)).toEqual([
      { error: 'Namespace cannot be empty', code: 2001 },
      { error: 'Namespace must start with an alphanumeric character', code: 2001 },
      { error: 'Wildcard namespace (*) is not valid for sandbox creation', code: 2001 },
    ]);
  });
});

describe('sandbox.start', () => {
  it('names every violation of its params at once', async () => {
    const { status, body } = await call('sandbox.start', {
      nmaespace: 'x',
      config: { memory: 'much', sudo: true },
    });
    expect([status, body.code]).toEqual([400, 2001]);
    expect(body.error).toMatch(/^Invalid params for sandbox.start: /);
    for (const part of [
      'missing field `sandbox`',
      'unknown field `nmaespace`',
      'unknown field `config.sudo`',
      'config.memory',
    ]) {
      expect(body.error).toContain(part);
    }
  });

  it('takes the whole configuration', async () => {
    const { body } = await startWith({
      image: 'microsandbox/node',
      memory: 512,
      cpus: 0.5,
      volumes: ['/srv/data/models:/models'],
      ports: [],
      envs: ['A=1', 'B=x=y', 'C='],
      depends_on: null,
      workdir: '/app',
      shell: '/bin/bash',
      scripts: { hello: 'echo hello' },
      exec: 'sleep 1',
    });
    expect(body.result).toBe('Sandbox env started successfully');
    expect(test.engine.started[0]).toMatchObject({
      hostname: 'env',
      image: 'microsandbox/node',
      resources: { memoryMib: 512, cpus: 0.5, diskMib: 1024, maxProcesses: 256 },
      environment: { A: '1', B: 'x=y', C: '' },
      workdir: '/app',
      mounts: [{ hostPath: '/srv/data/models', guestPath: '/models', readOnly: true }],
      scripts: { hello: 'echo hello' },
    });
    expect(test.engine.executed[0]?.argv).toEqual(['/bin/bash', '-c', 'sleep 1']);
  });

  it('runs the start script when there is no exec', async () => {
    await startWith({ scripts: { start: 'echo' } });
    expect(test.engine.executed[0]?.argv).toEqual(['/bin/sh', '-c', '/.sandbox/scripts/start']);
  });

  it('takes null for every list and field that is left out', async () => {
    const config = Object.fromEntries(
      ['image', 'memory', 'cpus', 'volumes', 'ports', 'envs', 'depends_on', 'workdir', 'shell'].map(
        (name) => [name, null],
      ),
    );
    expect((await startWith({ ...config, scripts: null, exec: null })).status).toBe(200);
  });

  it.each([
    [{ ports: ['8080:80'] }, 2003, 'have no network'],
    [{ volumes: ['/etc:/x'] }, 2004, 'not allowed'],
    [{ volumes: ['~/.sandgate:/x'] }, 2004, 'not allowed'],
    [{ volumes: ['/srv/data/../../etc:/x'] }, 2004, 'not allowed'],
    [{ volumes: ['a:b:c'] }, 2001, 'host-path:guest-path'],
    [{ envs: ['=x'] }, 2001, 'NAME=value'],
    [{ envs: ['A B=x'] }, 2001, 'not a name'],
    [{ memory: 1e9 }, 2001, 'allows up to'],
    [{ memory: -1 }, 2001, 'more than 0'],
    [{ cpus: 0 }, 2001, 'more than 0'],
    [{ workdir: 'app' }, 2001, 'absolute path'],
    [{ workdir: '/../etc' }, 2001, 'absolute path'],
    [{ shell: 'bash' }, 2001, 'absolute path'],
    [{ scripts: { '../../x': 'echo' } }, 2001, 'not a script name'],
    [{ depends_on: ['env'] }, 2001, 'circle'],
  ])('refuses %j with its reason', async (config, code, message) => {
    const { status, body } = await startWith(config);
    expect([status, body.code]).toEqual([400, code]);
    expect(body.error).toContain(message);
    expect(test.engine.started).toEqual([]);
  });

  it('starts what it depends on first, and refuses what is not there', async () => {
    await call('sandbox.start', { sandbox: 'db' });
    await call('sandbox.stop', { sandbox: 'db' });
    expect((await startWith({ depends_on: ['db'] })).status).toBe(200);
    expect(test.engine.started.map(({ hostname }) => hostname)).toEqual(['db', 'db', 'env']);
    const { body } = await call('sandbox.start', { sandbox: 'x', config: { depends_on: ['no'] } });
    expect(body.error.message).toBe("Sandbox 'no' not found in namespace 'default'");
  });

  it('is the same again for a running sandbox, and refused for a different configuration', async () => {
    const config = { image: 'python', envs: ['A=1', 'B=2'] };
    await startWith(config);
    expect((await startWith({ envs: ['B=2', 'A=1'], image: 'python' })).status).toBe(200);
    expect((await startWith({ ...config, memory: 512 })).body.error).toMatchObject({
      code: -32002,
      data: { code: 'sandbox_busy' },
    });
    expect(test.engine.started.length).toBe(1);
  });

  it('keeps the definition, and starts the stopped sandbox under its old id', async () => {
    await startWith({ image: 'python', envs: ['A=1'] });
    await call('sandbox.stop', { sandbox: 'env' });
    await call('sandbox.start', { sandbox: 'env' });
    const [first, second] = test.engine.started;
    expect(second).toEqual(first);
  });

  it('says why the engine refuses, and can be tried again', async () => {
    test.engine.failStart = new SandgateError('image_unknown', "There is no image 'x'");
    expect((await startWith({ image: 'x' })).body).toEqual({
      error: "There is no image 'x'",
      code: 2005,
    });
    test.engine.failStart = null;
    expect((await startWith({ image: 'python' })).status).toBe(200);
  });

  it('keeps nothing of a start that failed', async () => {
    await startWith({ image: 'python', envs: ['A=1'], memory: 333 });
    await call('sandbox.stop', { sandbox: 'env' });
    test.engine.failStart = new SandgateError('image_unknown', "There is no image 'pyton'");
    expect((await startWith({ image: 'pyton' })).status).toBe(400);
    expect((await call('sandbox.start', { sandbox: 'new', config: { image: 'x' } })).status).toBe(
      400,
    );
    test.engine.failStart = null;
    expect((await call('sandbox.start', { sandbox: 'env' })).status).toBe(200);
    expect(test.engine.started.at(-1)).toMatchObject({
      image: 'python',
      environment: { A: '1' },
      resources: { memoryMib: 333 },
    });
    const { body } = await call('sandbox.metrics.get', {});
    expect(body.result.sandboxes.map(({ name }: { name: string }) => name)).toEqual(['env']);
  });

  it('hides the inside of an unexpected failure', async () => {
    test.engine.onExec = async () => {
      throw new Error('secret inside');
    };
    await startWith({});
    const answer = await call('sandbox.command.run', { sandbox: 'env', command: 'x' });
    expect(answer).toMatchObject({
      status: 500,
      body: { error: 'Internal server error', code: 5002 },
    });
    expect(answer.text).not.toContain('secret');
  });

  it('runs no more sandboxes than the host may, however many start at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => call('sandbox.start', { sandbox: `s${index}` })),
    );
    const started = answers.filter(({ body }) => 'result' in body);
    expect([started.length, test.sandboxes.runningCount()]).toEqual([5, 5]);
    expect(answers.find(({ body }) => 'error' in body)?.body.error).toMatchObject({
      data: { code: 'capacity_exceeded' },
    });
  });
});

describe('a sandbox that ends by itself', () => {
  it('is shown as stopped, and can be started again', async () => {
    await startWith({});
    const [spec] = test.engine.started;
    test.engine.live.get(spec?.id ?? '')?.end('ended');
    await expect
      .poll(async () => (await test.storage.sandboxes.findById(spec?.id ?? ''))?.state)
      .toBe('stopped');
    expect(
      (await call('sandbox.command.run', { sandbox: 'env', command: 'x' })).body.error,
    ).toMatchObject({ code: -32002, data: { code: 'sandbox_not_running' } });
    expect((await startWith({})).status).toBe(200);
    expect(test.backgroundErrors).toEqual([]);
  });
});

describe('sandbox.stop', () => {
  it('stops, and may be repeated', async () => {
    await startWith({});
    for (const _ of [1, 2]) {
      const { body } = await call('sandbox.stop', { sandbox: 'env' });
      expect(body.result).toBe('Sandbox env stopped successfully');
    }
    expect(test.engine.live.size).toBe(0);
  });
});

describe('sandbox.command.run', () => {
  it('answers the command, its exit code and its output', async () => {
    await startWith({});
    test.engine.onExec = async ({ onOutput }) => {
      await onOutput({ stream: 'stdout', data: Buffer.from('one\ntwo') });
      await onOutput({ stream: 'stderr', data: Buffer.from('oops\n') });
      return { kind: 'exited', exitCode: 3 };
    };
    const { body } = await call('sandbox.command.run', {
      sandbox: 'env',
      command: 'ls',
      args: ['-l', 'a b'],
    });
    expect(body.result).toEqual({
      command: 'ls',
      args: ['-l', 'a b'],
      exit_code: 3,
      success: false,
      output: [
        { stream: 'stdout', text: 'one' },
        { stream: 'stderr', text: 'oops' },
        { stream: 'stdout', text: 'two' },
      ],
    });
    expect(test.engine.executed.at(-1)?.argv).toEqual(['ls', '-l', 'a b']);
  });

  it('answers a timeout as an error that keeps the output so far', async () => {
    await startWith({});
    test.engine.onExec = async ({ onOutput, timeoutMs }) => {
      expect(timeoutMs).toBe(2_000);
      await onOutput({ stream: 'stdout', data: Buffer.from('begun\n') });
      return { kind: 'timed_out' };
    };
    const params = { sandbox: 'env', command: 'sleep', args: ['9'], timeout: 2 };
    const { status, body } = await call('sandbox.command.run', params);
    expect(status).toBe(200);
    expect(body.error).toEqual({
      code: -32003,
      message: 'Command timed out after 2 seconds',
      data: { code: 'exec_timed_out', output: [{ stream: 'stdout', text: 'begun' }] },
    });
  });

  it.each([0, -1, 1.5, '2', 1e9])('refuses a timeout of %j', async (timeout) => {
    await startWith({});
    const params = { sandbox: 'env', command: 'x', timeout };
    expect((await call('sandbox.command.run', params)).status).toBe(400);
  });

  it('answers a missing command and a missing sandbox as errors under 200', async () => {
    await startWith({});
    test.engine.onExec = async () => {
      throw new SandgateError('command_not_found', "Command 'nope' not found");
    };
    const missing = await call('sandbox.command.run', { sandbox: 'env', command: 'nope' });
    expect([missing.status, missing.body.error.code]).toEqual([200, -32004]);
    const lost = await call('sandbox.command.run', { sandbox: 'gone', command: 'x' });
    expect([lost.status, lost.body.error.code]).toEqual([200, -32001]);
  });
});

describe('sandbox.repl.run', () => {
  const run = (params: Record<string, unknown>) =>
    call('sandbox.repl.run', { sandbox: 'env', language: 'python', code: '1', ...params });

  beforeEach(async () => void (await startWith({})));

  it.each(['python', 'Python', 'node', 'nodejs', 'JavaScript'])('takes %s', async (language) => {
    expect((await run({ language })).body.result).toEqual({
      status: 'success',
      language,
      output: [],
    });
  });

  it.each(['ruby', '', 'constructor', '__proto__'])('refuses %j', async (language) => {
    const { status, body } = await run({ language });
    expect([status, body.error.data.code]).toEqual([200, 'language_unsupported']);
    expect(body.error.message).toContain('Use one of: python, node, nodejs, javascript');
  });

  it('says error for code that raised', async () => {
    test.engine.onRun = async ({ onOutput }) => {
      await onOutput({ stream: 'stderr', data: Buffer.from('ValueError: x\n') });
      return { kind: 'raised', errorName: 'ValueError', errorMessage: 'x' };
    };
    expect((await run({})).body.result).toEqual({
      status: 'error',
      language: 'python',
      output: [{ stream: 'stderr', text: 'ValueError: x' }],
    });
  });

  it('says what became of the interpreter', async () => {
    test.engine.onRun = async () => ({ kind: 'exited', exitCode: 0 });
    expect((await run({})).body.result).toMatchObject({ status: 'success', output: [] });
    test.engine.onRun = async () => ({ kind: 'exited', exitCode: 3 });
    const { result } = (await run({})).body;
    expect(result.status).toBe('error');
    expect(result.output[0].text).toContain('ended with exit code 3');
    test.engine.onRun = async () => ({ kind: 'timed_out', stateLost: false });
    expect((await run({ timeout: 1 })).body.error.message).toContain('variables are kept');
    test.engine.onRun = async () => ({ kind: 'timed_out', stateLost: true });
    expect((await run({ timeout: 1 })).body.error.message).toContain('variables are lost');
  });
});

describe('development mode', () => {
  it('asks for no key', async () => {
    const open = await createTestApp(folder, { developmentMode: true });
    const host = { host: '127.0.0.1:5555' };
    const body = { jsonrpc: '2.0', id: 1, method: 'sandbox.start', params: { sandbox: 'a' } };
    expect((await open.post(body, null, host)).status).toBe(200);
    expect((await open.post(body, 'anything', { host: 'localhost:5555' })).status).toBe(200);
    const own = { ...host, origin: 'http://127.0.0.1:5555', 'sec-fetch-site': 'same-origin' };
    expect((await open.post(body, null, own)).status).toBe(200);
  });

  it.each([
    { host: 'evil.example:5555' },
    { host: '127.0.0.1.evil.example' },
    { host: 'localhost:5555', origin: 'https://evil.example' },
    { host: 'localhost:5555', origin: 'null' },
    { host: 'localhost:5555', origin: 'http://localhost:8080' },
    { host: 'localhost:5555', origin: 'https://localhost:5555' },
    { host: 'localhost:5555', origin: 'http://127.0.0.1:5555' },
    { host: 'localhost:5555', 'sec-fetch-site': 'cross-site' },
    { host: 'localhost@evil.example' },
    { host: '' },
  ])('refuses a web page: %j', async (headers) => {
    const open = await createTestApp(folder, { developmentMode: true });
    const body = { jsonrpc: '2.0', id: 1, method: 'sandbox.start', params: { sandbox: 'a' } };
    const answer = await open.post(body, null, headers);
    expect([answer.status, answer.body.code]).toEqual([403, 3004]);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect(open.engine.started).toEqual([]);
  });
});
