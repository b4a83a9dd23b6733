import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { join } from 'node:path';

const repository = join(import.meta.dirname, '../..');
export const msbPath = join(repository, 'packages/cli/bin/msb.mjs');

export interface RpcResponse {
  readonly status: number;
  readonly text: string;
  // The tests look into answers of many shapes; a wrong guess fails the test that makes it.
  readonly body: ReturnType<typeof JSON.parse>;
}

/** A real server, started as a user starts it. */
export interface ServerProcess {
  readonly process: ChildProcess;
  readonly home: string;
  readonly address: string;
  /** Empty when the home had keys already, and in development mode. */
  readonly firstKey: string;
  /** All that it has printed so far. */
  output(): string;
  rpc(method: string, params: unknown, key?: string | null): Promise<RpcResponse>;
  /** Ctrl-C, and the wait until it is gone. Returns its exit code. */
  stop(): Promise<number | null>;
  kill(): Promise<void>;
}

const startDeadlineMs = 30_000;

export async function startServerProcess(options: {
  readonly home: string;
  readonly arguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** The host user that it runs as; needs root. Default: the user of the tests. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** How many descriptors it may have. Default: as many as the tests. */
  readonly openFiles?: number;
}): Promise<ServerProcess> {
  const limit = options.openFiles === undefined ? '' : `ulimit -n ${options.openFiles}; `;
  const child = spawn(
    '/bin/sh',
    [
      '-c',
      `${limit}exec "$@"`,
      'sh',
      process.execPath,
      msbPath,
      'server',
      'start',
      '--path',
      options.home,
      '--port',
      '0',
      ...(options.arguments ?? []),
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, HOME: options.home, ...options.environment },
      ...options.user,
    },
  );
  let output = '';
  const address = await new Promise<string>((resolve, reject) => {
    const deadline = setTimeout(
      () => reject(new Error(`The server did not start:\n${output}`)),
      startDeadlineMs,
    );
    const look = (data: Buffer): void => {
      output += data;
      const match = /listening on (https?:\/\/[\d.[\]:]+\d)/i.exec(output);
      // The key, where there is one, is printed before the example that uses it.
      if (match?.[1] === undefined || !/curl|development/i.test(output)) return;
      clearTimeout(deadline);
      resolve(match[1]);
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    child.once('exit', (code) => {
      clearTimeout(deadline);
      reject(new Error(`The server ended with ${code}:\n${output}`));
    });
  });
  const ended = once(child, 'exit');
  const firstKey = /\bmsb_[0-9a-f]{48}\b/.exec(output)?.[0] ?? '';
  return {
    process: child,
    home: options.home,
    address,
    firstKey,
    output: () => output,
    rpc: (method, params, key = firstKey) => callRpc(address, method, params, key),
    async stop() {
      child.kill('SIGINT');
      await ended;
      return child.exitCode;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** One JSON-RPC call over a real socket. */
export async function callRpc(
  address: string,
  method: string,
  params: unknown,
  key: string | null,
): Promise<RpcResponse> {
  return await postJson(`${address}/api/v1/rpc`, { jsonrpc: '2.0', id: '1', method, params }, key);
}

async function postJson(url: string, body: unknown, key: string | null): Promise<RpcResponse> {
  const text = JSON.stringify(body);
  return await new Promise((resolve, reject) => {
    const call = request(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
        ...(key ? { authorization: `Bearer ${key}` } : {}),
      },
    });
    call.once('error', reject);
    call.once('response', (response) => {
      let received = '';
      response.setEncoding('utf8');
      response.on('data', (data: string) => {
        received += data;
      });
      response.once('error', reject);
      response.once('end', () => {
        try {
          const parsed = received === '' ? null : JSON.parse(received);
          resolve({ status: response.statusCode ?? 0, text: received, body: parsed });
        } catch (error) {
          reject(error);
        }
      });
    });
    call.end(text);
  });
}

export interface CommandResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `msb` as a user does, and answers what it printed. */
export async function runMsb(
  commandLine: readonly string[],
  options: {
    readonly home: string;
    readonly environment?: Readonly<Record<string, string>>;
    readonly folder?: string;
  },
): Promise<CommandResult> {
  const child = spawn(process.execPath, [msbPath, ...commandLine], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: options.folder ?? options.home,
    env: {
      ...process.env,
      HOME: options.home,
      SANDGATE_HOME: options.home,
      ...options.environment,
    },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  await once(child, 'close');
  return { exitCode: child.exitCode, stdout, stderr };
}
