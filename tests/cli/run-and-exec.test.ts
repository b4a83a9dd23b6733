import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runProgram } from '../../packages/cli/src/program.ts';

interface RpcCall {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

let server: Server;
let calls: RpcCall[];
beforeEach(async () => {
  calls = [];
  server = createServer((request, response) => {
    text(request).then((body) => {
      const { id, method, params } = JSON.parse(body);
      calls.push({ method, params });
      const result = results[method];
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
});

const results: Readonly<Record<string, unknown>> = {
  'sandbox.metrics.get': { sandboxes: [{ running: true }] },
  'sandbox.repl.run': { status: 'success', output: [] },
  'sandbox.command.run': { exit_code: 0, output: [] },
};

async function msb(...args: readonly string[]) {
  let notes = '';
  const { port } = server.address() as AddressInfo;
  const exitCode = await runProgram(args, {
    environment: { MSB_SERVER_URL: `http://127.0.0.1:${port}`, MSB_API_KEY: 'k' },
    currentFolder: '/',
    readSecret: async () => '',
    print: () => {},
    write: () => {},
    writeNote: () => {},
    note: (line) => {
      notes += `${line}\n`;
    },
  });
  return { exitCode, notes };
}

describe('msb run and msb exec', () => {
  it.each([
    ['run', 'box', '1'],
    ['exec', 'box', 'ls'],
  ])('leave the namespace to the key unless one is named: %s', async (...args) => {
    expect(await msb(...args)).toEqual({ exitCode: 0, notes: '' });
    const [command = '', ...rest] = args;
    expect(await msb(command, '-n', 'team', ...rest)).toEqual({ exitCode: 0, notes: '' });
    expect(calls.map(({ params }) => params.namespace)).toEqual([
      undefined,
      undefined,
      'team',
      'team',
    ]);
  });
});

describe('msb exec', () => {
  it.each([
    [['box', 'ls', '-la', '-n', '3'], { command: 'ls', args: ['-la', '-n', '3'] }],
    [['box', '--', 'ls', '-la'], { command: 'ls', args: ['-la'] }],
    [['box', 'git', '--', '-x'], { command: 'git', args: ['--', '-x'] }],
    [['box', '--timeout', '5', 'ls', '-l'], { command: 'ls', args: ['-l'], timeout: 5 }],
    [['--timeout', '5', 'box', 'ls', '--help'], { command: 'ls', args: ['--help'], timeout: 5 }],
  ])('leaves what follows the program to the program: %j', async (args, expected) => {
    expect(await msb('exec', ...args)).toEqual({ exitCode: 0, notes: '' });
    expect(calls.at(-1)?.params).toEqual({ sandbox: 'box', ...expected });
  });

  it.each([
    [['box'], 'missing required argument'],
    [['box', '--timeout', '5'], 'missing required argument'],
    [['box', '--fly', 'ls'], "unknown option '--fly'"],
    [['box', '--timeout', '0', 'ls'], 'at least 1'],
  ])('takes %j for wrong usage', async (args, reason) => {
    const { exitCode, notes } = await msb('exec', ...args);
    expect(exitCode).toBe(2);
    expect(notes).toContain(reason);
    expect(calls).toEqual([]);
  });

  it('explains itself after the name too', async () => {
    expect((await msb('exec', 'box', '--help')).exitCode).toBe(0);
    expect(calls).toEqual([]);
  });
});
