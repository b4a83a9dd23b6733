import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { syscallNumbersArm64 } from '../../packages/server/src/engines/namespace/seccomp/syscall-numbers-arm64.ts';
import { syscallNumbersX64 } from '../../packages/server/src/engines/namespace/seccomp/syscall-numbers-x64.ts';
import { type HealthWatch, startHealthWatch } from './health-watch.ts';
import { type RpcResponse, type ServerProcess, startServerProcess } from './server-process.ts';

/** Something that must never be seen inside: in files of the host and in the server's environment. */
export const canaryText = 'canary-of-the-host-5e1b7c';

/** A host user that nothing else uses, for a server that is not root. */
export const ordinaryUser = { uid: 61_917, gid: 61_917 };

export type ServerUser = 'own' | 'ordinary';

/** A real server with two sandboxes: one that attacks, and a neighbour. */
export interface AttackedServer {
  readonly server: ServerProcess;
  readonly health: HealthWatch;
  /** Folder of the host outside of the server's home, readable and writable for everybody. */
  readonly outside: string;
  /** A file in it, readable for everybody. */
  readonly canary: string;
  readonly attacker: SandboxInside;
  readonly neighbour: SandboxInside;
  close(): Promise<void>;
}

/** What a command printed, stdout and stderr apart, and how it ended. */
export interface InsideResult {
  readonly exitCode: number | null;
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
  /** The JSON-RPC error instead of a result. */
  readonly error: { readonly code: number; readonly message: string } | null;
  readonly response: RpcResponse;
}

export interface SandboxInside {
  readonly name: string;
  start(config?: Readonly<Record<string, unknown>>): Promise<RpcResponse>;
  stop(): Promise<RpcResponse>;
  /** Runs a program directly. */
  run(command: string, args?: readonly string[], timeout?: number): Promise<InsideResult>;
  shell(script: string, timeout?: number): Promise<InsideResult>;
  /** A new Python process, with the words of `pythonAttempts` at hand. */
  python(code: string, timeout?: number): Promise<InsideResult>;
  /** In the sandbox's Python or Node kernel, which stays from one call to the next. */
  repl(language: 'python' | 'node', code: string, timeout?: number): Promise<InsideResult>;
}

/**
 * Words for attempts in Python. `say(label, attempt)` prints `label: ok` (or what the attempt
 * returned), or `label: ERRNO`. `call(name, ...)` makes a system call by its name.
 */
export const pythonAttempts = `
import ctypes, errno, os, signal, socket, struct, subprocess, sys, time
libc = ctypes.CDLL(None, use_errno=True)
numbers = ${JSON.stringify(process.arch === 'arm64' ? syscallNumbersArm64 : syscallNumbersX64)}
def word(value): return ctypes.c_long(value) if isinstance(value, int) else value
def call(name, *values):
    number = name if isinstance(name, int) else numbers[name]
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *[word(value) for value in values])
    if result == -1 and ctypes.get_errno() != 0: raise OSError(ctypes.get_errno(), '')
def say(label, attempt):
    try: result = attempt()
    except OSError as error: result = errno.errorcode.get(error.errno, error)
    print(label + ':', 'ok' if result is None else result, flush=True)
def status_of(pid): return {line.split(':')[0]: line.split(':', 1)[1].strip() for line in open('/proc/%s/status' % pid)}
agent_pid = int(status_of(os.getppid())['PPid'])
def read(path):
    with open(path, 'rb') as file: file.read(64)
def write(path, text='x'):
    with open(path, 'w') as file: file.write(text)
`;

export function insideOf(server: ServerProcess, name: string): SandboxInside {
  const call = async (method: string, params: Record<string, unknown>): Promise<InsideResult> =>
    toResult(await server.rpc(method, { sandbox: name, ...params }));
  const run: SandboxInside['run'] = (command, args = [], timeout = 20) =>
    call('sandbox.command.run', { command, args, timeout });
  return {
    name,
    start: (config) => server.rpc('sandbox.start', { sandbox: name, config }),
    stop: () => server.rpc('sandbox.stop', { sandbox: name }),
    run,
    shell: (script, timeout) => run('/bin/sh', ['-c', script], timeout),
    python: (code, timeout) => run('python3', ['-c', pythonAttempts + code], timeout),
    repl: (language, code, timeout = 20) => call('sandbox.repl.run', { language, code, timeout }),
  };
}

function toResult(response: RpcResponse): InsideResult {
  const { result, error } = response.body;
  const output: readonly { stream: string; text: string }[] =
    result?.output ?? error?.data?.output ?? [];
  const linesOf = (stream: string): string[] =>
    output.filter((line) => line.stream === stream).map((line) => line.text);
  return {
    exitCode: result?.exit_code ?? null,
    stdout: linesOf('stdout'),
    stderr: linesOf('stderr'),
    error: typeof error === 'object' && error !== null ? error : null,
    response,
  };
}

/** Starts the server and both sandboxes. `config` is what the operator wrote to `config.json`. */
export async function startAttackedServer(
  options: {
    readonly user?: ServerUser;
    readonly environment?: Readonly<Record<string, string>>;
    readonly config?: (outside: string) => Record<string, unknown>;
  } = {},
): Promise<AttackedServer> {
  const folder = mkdtempSync(join(tmpdir(), 'sg-'));
  chmodSync(folder, 0o755);
  const home = join(folder, 'home');
  const outside = join(folder, 'outside');
  const canary = join(outside, 'canary');
  mkdirSync(home, { mode: 0o700 });
  mkdirSync(outside);
  chmodSync(outside, 0o777);
  writeFileSync(canary, canaryText);
  if (options.config !== undefined) {
    writeFileSync(join(home, 'config.json'), JSON.stringify(options.config(outside)));
  }
  const drops = options.user === 'ordinary' && process.getuid?.() === 0;
  if (drops) {
    for (const path of [home, join(home, 'config.json')]) {
      try {
        chownSync(path, ordinaryUser.uid, ordinaryUser.gid);
      } catch {
        // No configuration was written.
      }
    }
  }
  const server = await startServerProcess({
    home,
    environment: { SANDGATE_TEST_CANARY: canaryText, ...options.environment },
    ...(drops ? { user: ordinaryUser } : {}),
  });
  const attacker = insideOf(server, 'attacker');
  const neighbour = insideOf(server, 'neighbour');
  const health = await startHealthWatch(server.address);
  const close = async (): Promise<void> => {
    await health.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  for (const sandbox of [attacker, neighbour]) {
    const { body, text } = await sandbox.start();
    if (body.result === undefined) {
      await close();
      throw new Error(`The sandbox ${sandbox.name} did not start: ${text}`);
    }
  }
  return { server, health, outside, canary, attacker, neighbour, close };
}

/**
 * Asks for the server's health and runs a command in the neighbour, over and over until `attack`
 * ends. Answers the longest time that each took, and how often they were asked.
 */
export async function answersDuring(
  { health, neighbour }: AttackedServer,
  attack: Promise<unknown>,
): Promise<{ healthMs: number; commandMs: number; rounds: number }> {
  let over = false;
  const ended = attack.finally(() => {
    over = true;
  });
  const longest = { commandMs: 0, rounds: 0 };
  health.begin();
  while (!over) {
    const startedAt = performance.now();
    const { stdout, response } = await neighbour.run('/bin/echo', ['fine']);
    if (stdout[0] !== 'fine') throw new Error(`The neighbour answered ${response.text}`);
    longest.commandMs = Math.max(longest.commandMs, performance.now() - startedAt);
    longest.rounds += 1;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const healthMs = await health.end();
  await ended;
  return { ...longest, healthMs };
}
